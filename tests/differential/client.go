// Asks for the URLs of its standard input, one a line, and prints what it got, as one line of JSON each.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"time"
)

type said struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
	Error  string `json:"error"`
}

func ask(url string) said {
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar, Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		return said{Error: err.Error()}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return said{Error: err.Error()}
	}
	return said{response.StatusCode, hex.EncodeToString(body), ""}
}

func main() {
	urls := bufio.NewScanner(os.Stdin)
	for urls.Scan() {
		line, _ := json.Marshal(ask(urls.Text()))
		fmt.Println(string(line))
	}
}

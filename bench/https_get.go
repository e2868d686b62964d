// Gets many HTTPS addresses, each over a connection of its own: what the checks are compared with.
//
//	https_get URL COUNT AT_ONCE
package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

func main() {
	count, _ := strconv.Atoi(os.Args[2])
	atOnce, _ := strconv.Atoi(os.Args[3])
	client := &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	places := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for n := 0; n < count; n++ {
		places <- struct{}{}
		all.Add(1)
		go func(url string) {
			defer all.Done()
			defer func() { <-places }()
			answer, err := client.Get(url)
			if err != nil {
				log.Fatal(err)
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				log.Fatal(answer.Status)
			}
		}(os.Args[1] + "/" + strconv.Itoa(n))
	}
	all.Wait()
}

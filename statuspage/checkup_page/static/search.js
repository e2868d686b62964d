// The search of a large site: names and statuses come from the page's own API.
document.addEventListener("DOMContentLoaded", () => {
  const box = document.getElementById("search");
  const field = box.querySelector("input");
  const found = document.getElementById("found");
  let components;
  const show = () => {
    const words = field.value.trim().toLowerCase();
    const matches = words && components ? components.filter(({ name }) => name.toLowerCase().includes(words)) : [];
    found.replaceChildren(...matches.slice(0, 20).map(({ id, name }) => {
      const [item, link] = [document.createElement("li"), document.createElement("a")];
      link.href = `${field.dataset.to}${id}.html`;
      link.textContent = name;
      item.append(link);
      return item;
    }));
    found.hidden = !matches.length;
  };
  field.addEventListener("focus", async () => {
    const answer = components || await fetch(field.dataset.from).catch(() => {});
    if (!components && answer?.ok) components = (await answer.json()).components;
    show();
  });
  field.addEventListener("input", show);
  box.hidden = false;
});

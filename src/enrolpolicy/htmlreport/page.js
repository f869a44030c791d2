"use strict";
// Tables that can be searched and sorted. Without this script the page shows everything, in the plan's own order.
(() => {
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  for (const tools of document.querySelectorAll(".tools")) {
    const input = tools.querySelector("input");
    const found = tools.querySelector("output");
    const rows = [...document.getElementById(input.dataset.table).tBodies[0].rows];
    const texts = rows.map((row) => plain(row.textContent));
    const search = () => {
      const words = plain(input.value).split(/\s+/).filter(Boolean);
      let count = 0;
      rows.forEach((row, index) => {
        row.hidden = !words.every((word) => texts[index].includes(word));
        count += row.hidden ? 0 : 1;
      });
      found.value = words.length ? `${count} of ${rows.length}` : "";
    };
    input.addEventListener("input", search);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && input.value) {
        event.preventDefault();
        input.value = "";
        search();
      }
    });
    tools.hidden = false;
  }

  const order = new Intl.Collator(document.documentElement.lang, { numeric: true }).compare;
  const valueOf = (row, index) => {
    const cell = row.cells[index];
    return (cell.dataset.value ?? cell.textContent).trim();
  };

  for (const head of document.querySelectorAll("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = head.closest("table").tBodies[0];
      const rows = [...body.rows].map((row) => [valueOf(row, head.cellIndex), row]);
      // What is blank stays at the end, whichever way round.
      rows.sort(([a], [b]) => (a === "") - (b === "") || (down ? order(b, a) : order(a, b)));
      body.append(...rows.map(([, row]) => row));
    });
  }

  // Paper has no buttons to open things with.
  const closed = new Set();
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details:not([open])")) {
      closed.add(one);
      one.open = true;
    }
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
    closed.clear();
  });
})();

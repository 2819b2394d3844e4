"use strict";
/* Line numbers, Tab, marks at mistakes, and what may stand here, over a textarea that works without all this. */
for (const box of document.querySelectorAll("[data-editor]")) {
  const area = box.querySelector("textarea");
  const live = document.getElementById("live");
  const gutter = document.createElement("div");
  gutter.className = "gutter";
  gutter.setAttribute("aria-hidden", "true");
  box.prepend(gutter);
  document.querySelectorAll("[data-editor-hint]").forEach((hint) => { hint.hidden = false; });
  const bad = new Set(box.dataset.lines.split(",").filter(Boolean).map(Number));

  const number = () => {
    const lines = area.value.split("\n").length;
    if (gutter.childElementCount !== lines) {
      gutter.replaceChildren(...Array.from({ length: lines }, (_, at) => {
        const line = document.createElement("span");
        line.textContent = at + 1;
        if (bad.has(at + 1)) line.className = "bad";
        return line;
      }));
    }
    gutter.scrollTop = area.scrollTop;
  };
  area.addEventListener("input", number);
  area.addEventListener("scroll", () => { gutter.scrollTop = area.scrollTop; hide(); });
  area.style.height = `${Math.min(720, Math.max(260, area.value.split("\n").length * 19 + 40))}px`;
  new ResizeObserver(() => { gutter.style.height = `${area.clientHeight}px`; }).observe(area);
  number();

  /* Undo keeps working because the text goes in as if it were typed. */
  const type = (from, to, text) => {
    area.setSelectionRange(from, to);
    if (!document.execCommand(text ? "insertText" : "delete", false, text)) area.setRangeText(text, from, to, "end");
    number();
  };

  const goto = (line) => {
    const start = area.value.split("\n").slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    const end = area.value.indexOf("\n", start);
    area.focus();
    area.setSelectionRange(start, end < 0 ? area.value.length : end);
    area.scrollTop = Math.max(0, (line - 6) * 19);
  };
  document.querySelectorAll("[data-goto]").forEach((link) => link.addEventListener("click", (event) => {
    event.preventDefault();
    goto(Number(link.dataset.goto));
  }));

  /* What may stand here. */
  const always = ["@name", "@enabled", "@continueOnError", "@async", "DisplayName"];
  let paths = null;
  const vocabulary = async () => {
    if (paths) return paths;
    const answer = await fetch(box.dataset.vocabulary);
    const kind = (answer.ok ? await answer.json() : []).find((one) => one.kind === box.dataset.kind);
    paths = [...always, ...(kind?.paths ?? [])];
    return paths;
  };
  /* Where the caret stands: the open elements before it, and the tag it is in. */
  const place = () => {
    const text = area.value.slice(0, area.selectionStart).replace(/<!--[\s\S]*?-->|<!\[CDATA\[[\s\S]*?\]\]>|<\?[\s\S]*?\?>/g, "");
    const open = [];
    for (const [, closes, name, rest] of text.matchAll(/<(\/?)([\w:.-]+)((?:"[^"]*"|'[^']*'|[^"'<>])*)>/g)) {
      if (closes) open.pop();
      else if (!rest.endsWith("/")) open.push(name);
    }
    const tag = text.match(/<([\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)(\s+[\w:.-]*)?$/);
    if (tag) return { open, name: tag[1], used: tag[2], attribute: tag[3]?.trim() };
    const close = text.match(/<\/([\w:.-]*)$/);
    return close ? { open, close: close[1] } : { open };
  };
  const below = (open) => {
    const prefix = open.slice(1).map((name) => `${name}/`).join("");
    return (path) => open.length > 0 && path.startsWith(prefix) ? path.slice(prefix.length) : null;
  };
  const offersAt = (all) => {
    const at = place();
    if (at.close !== undefined) return { typed: at.close, list: at.open.slice(-1).map((name) => ({ text: name, put: `${name}>` })) };
    if (at.name !== undefined && at.attribute !== undefined) {
      const own = [...at.open, at.name].slice(1).join("/");
      const list = all.filter((path) => path.startsWith(`${own}@`)).map((path) => path.slice(own.length + 1));
      const fresh = [...new Set(list)].filter((name) => !new RegExp(`\\s${name}\\s*=`).test(at.used));
      return { typed: at.attribute, list: fresh.map((name) => ({ text: name, put: `${name}=""`, back: 1 })) };
    }
    const inside = below(at.open);
    const names = all.map(inside).filter(Boolean).map((path) => path.split(/[/@]/)[0]).filter(Boolean);
    const leaf = (name) => !all.map(inside).some((path) => path?.startsWith(`${name}/`));
    const root = at.open.length === 0 ? [box.dataset.kind] : [];
    const lead = at.name === undefined ? "<" : "";
    const list = [...new Set([...root, ...names])].sort().map((name) => ({
      text: name, put: `${lead}${name}></${name}>`, back: name.length + 3, leaf: leaf(name),
    }));
    return { typed: at.name ?? "", list };
  };

  const offers = document.createElement("ul");
  offers.className = "offers";
  offers.id = `${area.id}-offers`;
  offers.setAttribute("role", "listbox");
  offers.setAttribute("aria-label", "What may stand here");
  offers.hidden = true;
  box.append(offers);
  let shown = { typed: "", list: [] };
  let chosen = 0;
  const hide = () => {
    offers.hidden = true;
    area.removeAttribute("aria-activedescendant");
  };
  const mark = (at) => {
    chosen = (at + shown.list.length) % shown.list.length;
    [...offers.children].forEach((one, index) => one.setAttribute("aria-selected", index === chosen));
    const one = offers.children[chosen];
    one.scrollIntoView({ block: "nearest" });
    area.setAttribute("aria-activedescendant", one.id);
  };
  const take = (at) => {
    const { put, back = 0 } = shown.list[at];
    const from = area.selectionStart - shown.typed.length;
    type(from, area.selectionStart, put);
    area.setSelectionRange(from + put.length - back, from + put.length - back);
    hide();
  };
  const show = async (asked) => {
    const all = await vocabulary();
    if (document.activeElement !== area) return;
    const found = offersAt(all);
    const typed = found.typed.toLowerCase();
    shown = { typed: found.typed, list: found.list.filter((one) => one.text.toLowerCase().startsWith(typed)) };
    if (shown.list.length === 0) {
      hide();
      if (asked && live) live.textContent = "Nothing is known to stand here";
      return;
    }
    offers.replaceChildren(...shown.list.map((one, at) => {
      const item = document.createElement("li");
      item.id = `${offers.id}-${at}`;
      item.setAttribute("role", "option");
      item.textContent = one.text;
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(at); });
      return item;
    }));
    const before = area.value.slice(0, area.selectionStart).split("\n");
    const left = gutter.offsetWidth + 10 + (before.at(-1).length - shown.typed.length) * 7.83 - area.scrollLeft;
    const top = 8 + before.length * 19 - area.scrollTop;
    offers.hidden = false;
    offers.style.left = `${Math.max(0, Math.min(left, box.clientWidth - offers.offsetWidth - 8))}px`;
    offers.style.top = `${top + offers.offsetHeight > box.clientHeight ? Math.max(0, top - 19 - offers.offsetHeight) : top}px`;
    if (live) live.textContent = `${shown.list.length} offers`;
    mark(0);
  };
  if (box.dataset.editor === "xml" && !area.readOnly) {
    area.setAttribute("aria-autocomplete", "list");
    area.setAttribute("aria-controls", offers.id);
    area.addEventListener("input", (event) => {
      const opens = ["<", " ", "/"].includes(event.data);
      if (opens && place().name === undefined && place().close === undefined) return hide();
      if (opens || !offers.hidden) show(false);
    });
    area.addEventListener("blur", hide);
    area.addEventListener("click", hide);
  }

  let leaving = false;
  area.addEventListener("keydown", (event) => {
    if (!offers.hidden) {
      const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (move) { event.preventDefault(); return mark(chosen + move); }
      if (event.key === "Enter" || event.key === "Tab") { event.preventDefault(); return take(chosen); }
      if (event.key === "Escape") { event.preventDefault(); return hide(); }
    }
    if (event.key === "Escape") { leaving = true; return; }
    if (event.key === "Tab" && !leaving && !event.shiftKey && !area.readOnly) {
      event.preventDefault();
      return type(area.selectionStart, area.selectionEnd, "  ");
    }
    leaving = event.key === "Tab" || event.key === "Shift" ? leaving : false;
    if (event.key === "Enter" && !event.ctrlKey && !area.readOnly) {
      const line = area.value.slice(0, area.selectionStart).split("\n").at(-1);
      event.preventDefault();
      type(area.selectionStart, area.selectionEnd, `\n${line.match(/^\s*/)[0]}`);
    }
    if ((event.ctrlKey || event.metaKey) && event.key === " ") { event.preventDefault(); show(true); }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      area.form.requestSubmit();
    }
  });
  area.addEventListener("blur", () => { leaving = false; });

  /* Nothing is lost by a slip: a changed text asks before the page is left. */
  const was = area.value;
  let sending = false;
  area.form.addEventListener("submit", () => { sending = true; });
  addEventListener("beforeunload", (event) => { if (!sending && area.value !== was) event.preventDefault(); });
  if (bad.size > 0) goto(Math.min(...bad));
}

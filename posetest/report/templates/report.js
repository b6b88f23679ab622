"use strict";
// Copy buttons. Browsers may refuse the clipboard interface to pages opened from files, hence the older way first.
function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
async function copyByInterface(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const text = button.dataset.copy;
  const done = copyBySelection(text) || (await copyByInterface(text));
  if (!done) getSelection().selectAllChildren(button.previousElementSibling);
  button.textContent = done ? "copied" : "press Ctrl+C";
  setTimeout(() => { button.textContent = "copy"; }, 1500);
});
// Paper has no folds.
window.addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll("details")) fold.open = true;
});

// What can be taken away: the sheet, animations, numbers, the link and the commands.

import { $, ask, make, room, sentence } from "./room.js";

const KINDS = ["sheet", "gif", "mp4"];

function save(name, text, type) {
  const link = make("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function take(what) {
  ask("take", { what, seeds: Number($("seeds").value), every: Number($("every").value) });
  for (const kind of KINDS) $(`make-${kind}`).disabled = true;
  $("made").replaceChildren();
}

// What the server says of what it makes.
export const making = {
  tables(m) {
    save(`classroom_${room.wanted}_week${m.week}.csv`, m.files[room.wanted], "text/csv");
  },
  making(m) {
    $("making").hidden = false;
    $("making-bar").max = m.total;
    $("making-bar").value = m.done;
    const what = m.what === "sheet" ? `run ${m.done} of ${m.total - 1}` : `week ${m.done} of ${m.total}`;
    $("making-text").textContent = m.waiting ? "waiting for its turn …" : m.what === "sheet" && m.done >= m.total - 1 ? "drawing …" : what;
  },
  made(m) {
    $("making").hidden = true;
    for (const kind of KINDS) $(`make-${kind}`).disabled = kind === "mp4" && !!room.welcome.mp4;
    if (m.error) {
      $("made").replaceChildren(make("p", { class: "small", text: m.error === "cancelled" ? "Cancelled." : sentence(m.error) }));
      return;
    }
    const names = { pdf: "sheet, PDF", png: "sheet, PNG", gif: "animation, GIF", mp4: "animation, MP4" };
    const links = m.files.map((f) => {
      const kind = names[f.name.split(".").pop()] || f.name.replace("after_action_", "").replace(".csv", " of all seeds, CSV");
      return make("li", {}, make("a", { href: f.href, download: f.name, text: `Download the ${kind}` }));
    });
    $("made").replaceChildren(make("ul", {}, ...links), make("ol", {}, ...m.notes.map((t) => make("li", { text: t }))));
  },
};

export function furnish() {
  for (const n of room.welcome.seeds) $("seeds").append(make("option", { value: n, text: n, selected: n === 10 }));
  $("make-mp4").disabled = !!room.welcome.mp4;
  $("no-mp4").textContent = room.welcome.mp4 ? sentence(room.welcome.mp4) : "";
}

for (const kind of KINDS) $(`make-${kind}`).addEventListener("click", () => take(kind));
$("cancel").addEventListener("click", () => ask("cancel"));
for (const name of ["weekly", "events"]) $(`csv-${name}`).addEventListener("click", () => {
  room.wanted = name;
  ask("tables");
});
$("save").addEventListener("click", () => save("classroom_scene.txt", `${$("link").value}\n\n${$("commands").value}\n`, "text/plain"));
for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => {
  const field = $(button.dataset.copy);
  field.select();
  if (navigator.clipboard) navigator.clipboard.writeText(field.value).catch(() => {});
  else document.execCommand("copy"); // a page without https, as in a classroom's own network
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy"), 1500);
});

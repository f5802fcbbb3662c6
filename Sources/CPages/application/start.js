// What the server says at the start of the page.

export const start = JSON.parse(document.getElementById("start").textContent);

// The token of the page lives in memory and for a short time. It is renewed long before it ends.

import { api, authorize, session } from "/pages/design/api.js";
import { start } from "./start.js";

const minute = 60_000;

/**
 * Takes the token of the start into use and keeps it alive. `renewed()` is called when a request was refused and a new
 * token was had after all, `ended()` when there is none to be had.
 */
export function keepToken({ renewed, ended }) {
  let timer = null;
  let isOver = false;
  let isRenewing = false;
  let last = -Infinity;
  authorize({ bearer: start.token });
  plan(start.expires_at);

  /** The reader's clock may be wrong, hence the bounds. */
  function plan(expiry) {
    const left = new Date(expiry) - Date.now();
    wait(Math.min(Math.max(left / 2, minute), 10 * minute));
  }

  function wait(milliseconds) {
    clearTimeout(timer);
    timer = setTimeout(renew, milliseconds);
  }

  /** Gives whether there is a new token. */
  async function renew() {
    isRenewing = true;
    try {
      const { token, expires_at } = await api.post("/session/renew");
      authorize({ bearer: token });
      last = performance.now();
      plan(expires_at);
      return true;
    } catch (error) {
      if ([401, 403].includes(error.status)) end();
      else wait(minute);
      return false;
    } finally {
      isRenewing = false;
    }
  }

  function end() {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    ended();
  }

  session.addEventListener("signed-out", async () => {
    if (isOver || isRenewing) return;
    // Refused with a token that is new: another one would not help.
    if (performance.now() - last < minute) end();
    else if (await renew()) renewed();
  });

  // A timer sleeps with the machine.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !isOver && !isRenewing && performance.now() - last > 5 * minute) renew();
  });
}

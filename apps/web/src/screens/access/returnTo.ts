// Where to go after a login: back to the page that was asked for, and never to another site.

/** A path of this app, or home. */
export function returnPath(wanted: string | undefined): string {
  if (wanted === undefined || !wanted.startsWith("/")) return "/";
  const url = new URL(wanted, window.location.origin);
  // "//elsewhere" and "/\elsewhere" are other hosts to a browser.
  if (url.origin !== window.location.origin || url.pathname === "/login") return "/";
  return url.pathname + url.search + url.hash;
}

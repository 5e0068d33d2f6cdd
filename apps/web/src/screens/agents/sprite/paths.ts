// Paths inside a sprite. It is a Linux computer whatever the reader's own is, so this is plain string work and
// never the browser's idea of a URL.

export type Crumb = { label: string; path: string };

export function joinPath(directory: string, name: string): string {
  return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
}

/** The directory above, or null at the top. */
export function parentOf(path: string): string | null {
  if (path === "/") return null;
  const cut = path.replace(/\/+$/, "").lastIndexOf("/");
  return cut <= 0 ? "/" : path.slice(0, cut);
}

/** Every directory on the way to a path, the root first. */
export function crumbsOf(path: string): Crumb[] {
  const crumbs: Crumb[] = [{ label: "/", path: "/" }];
  for (const part of path.split("/").filter(Boolean)) {
    const above = crumbs[crumbs.length - 1]?.path ?? "/";
    crumbs.push({ label: part, path: joinPath(above, part) });
  }
  return crumbs;
}

/** Where `to` leads from a directory, with `.` and `..` resolved; `~` and nothing are the home directory. */
export function resolvePath(from: string, to: string, home: string): string {
  const target = to.trim();
  if (target === "" || target === "~") return home;
  const whole = target.startsWith("/")
    ? target
    : target.startsWith("~/")
      ? joinPath(home, target.slice(2))
      : joinPath(from, target);
  const parts: string[] = [];
  for (const part of whole.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The directory a bare `cd` asks for; null for every other command, which the sprite's own shell reads. */
export function changeOfDirectory(command: string): string | null {
  const match = /^\s*cd(?:\s+("[^"$`\\]*"|'[^']*'|(?!-)[^\s;&|<>$`"'\\*?()]+))?\s*$/.exec(command);
  if (!match) return null;
  return (match[1] ?? "~").replace(/^(["'])(.*)\1$/, "$2");
}

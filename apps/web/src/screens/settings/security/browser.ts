// What people call the browser and the system behind a user agent. A guess, for recognising one's own.

const BROWSERS: readonly [RegExp, string][] = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/Chrome\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS: readonly [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X|Macintosh/, "macOS"],
  [/Linux|X11/, "Linux"],
];

export function browserOf(userAgent: string | null): string {
  if (userAgent === null || userAgent === "") return "Unknown program";
  const browser = BROWSERS.find(([pattern]) => pattern.test(userAgent))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1];
  // Programs name themselves first: "curl/8.5.0".
  if (browser === undefined) return userAgent.split(" ")[0] ?? userAgent;
  return system === undefined ? browser : `${browser} on ${system}`;
}

import { expect, it } from "vitest";
import { changeOfDirectory, crumbsOf, joinPath, parentOf, resolvePath } from "./paths";

const HOME = "/home/sprite";

it("a path is joined and cut at slashes", () => {
  expect(joinPath("/", "etc")).toBe("/etc");
  expect(joinPath(HOME, "a b")).toBe("/home/sprite/a b");
  expect(parentOf("/home/sprite/")).toBe("/home");
  expect(parentOf("/home")).toBe("/");
  expect(parentOf("/")).toBeNull();
});

it("crumbs lead from the root to the path", () => {
  expect(crumbsOf("/home/sprite")).toEqual([
    { label: "/", path: "/" },
    { label: "home", path: "/home" },
    { label: "sprite", path: "/home/sprite" },
  ]);
  expect(crumbsOf("/")).toHaveLength(1);
});

it("relative paths, dots and the home directory are resolved", () => {
  expect(resolvePath(HOME, "src/../notes/./a", HOME)).toBe("/home/sprite/notes/a");
  expect(resolvePath("/tmp", "~/x", HOME)).toBe("/home/sprite/x");
  expect(resolvePath("/tmp", "", HOME)).toBe(HOME);
  expect(resolvePath("/tmp", "../../..", HOME)).toBe("/");
});

it("only a bare cd changes the directory here", () => {
  expect(changeOfDirectory("cd")).toBe("~");
  expect(changeOfDirectory(" cd src ")).toBe("src");
  expect(changeOfDirectory("cd 'my files'")).toBe("my files");
  for (const command of ["cd src && ls", "cd $X", "cd a; b", "cdr x", "cd `x`", "cd a b", "cd *", "cd -"])
    expect(changeOfDirectory(command), command).toBeNull();
});

// Words that must outlive a component, a lost login or a reload, but not the tab: what was typed and not sent, and the
// keys of requests whose answer never came.

/** The browser may refuse to keep anything; then words live as long as the page. */
const words = new Map<string, string | null>();
const watchers = new Set<() => void>();

export const tabStore = {
  read(name: string): string | null {
    let word = words.get(name);
    if (word === undefined) {
      word = kept(name);
      words.set(name, word);
    }
    return word;
  },

  /** Null forgets it. */
  write(name: string, word: string | null): void {
    words.set(name, word);
    try {
      if (word === null) sessionStorage.removeItem(name);
      else sessionStorage.setItem(name, word);
    } catch {
      // Full or forbidden: what the page holds has to do.
    }
    for (const watcher of watchers) watcher();
  },

  onChange(handler: () => void): () => void {
    watchers.add(handler);
    return () => {
      watchers.delete(handler);
    };
  },
};

function kept(name: string): string | null {
  try {
    return sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

// The browser's side of a live connection, driven by a test.
export class FakeEventSource extends EventTarget {
  readonly url: string;
  readyState: number = EventSourceState.connecting;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;

  constructor(url: string) {
    super();
    this.url = url;
  }

  open(): void {
    this.readyState = EventSourceState.open;
    this.onopen?.();
  }

  /** The connection broke and the browser connects again by itself. */
  breakOff(): void {
    this.readyState = EventSourceState.connecting;
    this.onerror?.();
  }

  /** The server refused, after which the browser gives up. */
  refuse(): void {
    this.readyState = EventSourceState.closed;
    this.onerror?.();
  }

  close(): void {
    this.readyState = EventSourceState.closed;
  }

  tell(name: string, payload: object, id?: number): void {
    const lastEventId = id === undefined ? "" : String(id);
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(payload), lastEventId }));
  }
}

const EventSourceState = { connecting: 0, open: 1, closed: 2 } as const;

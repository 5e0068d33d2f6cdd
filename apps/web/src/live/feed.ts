// The one connection on which the server tells what happens. It resumes after the last event it saw, notices when
// the machine slept, and hands stored events and open texts to whoever watches. It knows nothing of React or the
// query cache.
import { type LiveEvent, PIECE_NAMES, type Piece, STORED_NAMES, type StoredName } from "./events";
import { type JobTexts, OpenTexts } from "./openTexts";

export type FeedStatus = "live" | "reconnecting" | "offline";

/** Told when events may have been missed, so that what is shown must be asked for again. */
type GapHandler = () => void;
type EventHandler = (event: LiveEvent) => void;

export type FeedOptions = {
  url: string;
  createSource?: (url: string) => EventSource;
  /** How long to wait before connecting again, in milliseconds, by the number of attempts so far. */
  delay?: (attempt: number) => number;
};

const LONGEST_DELAY = 15_000;
const TICK = 5_000;
/** A tick that comes this late means that the machine slept, and the connection may be dead without knowing. */
const SLEPT = 20_000;

/** A tab that nobody looked at for so long gives its connection back: browsers have six for a server. */
const UNSEEN = 300_000;

function backOff(attempt: number): number {
  return Math.min(LONGEST_DELAY, 500 * 2 ** attempt);
}

export class Feed {
  private source: EventSource | null = null;
  private lastId: number | null = null;
  private isFirstOfConnection = true;
  private attempt = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private tickTimer: ReturnType<typeof setInterval> | undefined;
  private hideTimer: ReturnType<typeof setTimeout> | undefined;
  private lastTick = 0;
  private state: FeedStatus = "reconnecting";
  private readonly texts = new OpenTexts();
  private readonly snapshots = new Map<string, JobTexts>();
  private readonly eventHandlers = new Set<EventHandler>();
  private readonly workHandlers = new Set<() => void>();
  private readonly gapHandlers = new Set<GapHandler>();
  private readonly refusalHandlers = new Set<() => void>();
  private readonly statusHandlers = new Set<() => void>();
  private readonly textHandlers = new Map<string, Set<() => void>>();

  private readonly options: FeedOptions;

  constructor(options: FeedOptions) {
    this.options = options;
  }

  /** Connects, and stays connected until `stop`. */
  start(): void {
    if (this.tickTimer !== undefined) return;
    this.lastTick = Date.now();
    this.tickTimer = setInterval(this.tick, TICK);
    window.addEventListener("online", this.reconnect);
    window.addEventListener("offline", this.wentOffline);
    document.addEventListener("visibilitychange", this.looked);
    this.connect();
  }

  stop(): void {
    clearInterval(this.tickTimer);
    clearTimeout(this.retryTimer);
    clearTimeout(this.hideTimer);
    this.tickTimer = undefined;
    window.removeEventListener("online", this.reconnect);
    window.removeEventListener("offline", this.wentOffline);
    document.removeEventListener("visibilitychange", this.looked);
    this.source?.close();
    this.source = null;
    this.lastId = null;
    this.texts.clear();
    this.snapshots.clear();
  }

  get status(): FeedStatus {
    return this.state;
  }

  onStatus = (handler: () => void): (() => void) => add(this.statusHandlers, handler);
  onEvent = (handler: EventHandler): (() => void) => add(this.eventHandlers, handler);
  onGap = (handler: GapHandler): (() => void) => add(this.gapHandlers, handler);
  /** Told when work items came in or ended; which ones, no row says. */
  onWork = (handler: () => void): (() => void) => add(this.workHandlers, handler);
  /** Told when the server answers and refuses: the login may have ended. */
  onRefusal = (handler: () => void): (() => void) => add(this.refusalHandlers, handler);

  /** Told when what is open of a job changes; read it with `textsOf`. */
  onTexts(job: string, handler: () => void): () => void {
    const handlers = this.textHandlers.get(job) ?? new Set();
    this.textHandlers.set(job, handlers);
    const remove = add(handlers, handler);
    return () => {
      remove();
      if (handlers.size === 0) this.textHandlers.delete(job);
    };
  }

  /** What is open of a job; the same object until it changes. */
  textsOf(job: string): JobTexts {
    const known = this.snapshots.get(job) ?? this.texts.of(job);
    this.snapshots.set(job, known);
    return known;
  }

  private connect(): void {
    clearTimeout(this.retryTimer);
    this.source?.close();
    const after = this.lastId === null ? "" : `?last_event_id=${this.lastId}`;
    const create = this.options.createSource ?? ((url: string) => new EventSource(url));
    const source = create(this.options.url + after);
    this.source = source;
    source.onopen = () => this.opened();
    source.onerror = () => this.broke(source);
    for (const name of STORED_NAMES) {
      source.addEventListener(name, (message) => this.stored(name, message as MessageEvent<string>));
    }
    source.addEventListener("work.changed", () => {
      for (const handler of this.workHandlers) handler();
    });
    for (const name of PIECE_NAMES) {
      source.addEventListener(name, (message) => this.piece(message as MessageEvent<string>));
    }
  }

  private opened(): void {
    this.attempt = 0;
    this.isFirstOfConnection = true;
    if (this.lastId === null) {
      // The stream begins now: what happened since the page asked for its rows is in nobody's replay.
      this.forgetTexts();
      for (const handler of this.gapHandlers) handler();
    }
    this.setStatus("live");
  }

  private broke(source: EventSource): void {
    if (source !== this.source) return;
    this.isFirstOfConnection = true;
    this.setStatus(navigator.onLine ? "reconnecting" : "offline");
    // The browser connects again by itself and says where it was, unless the server refused.
    if (source.readyState !== EventSource.CLOSED) return;
    const delay = (this.options.delay ?? backOff)(this.attempt);
    this.attempt += 1;
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.connect(), delay);
    for (const handler of this.refusalHandlers) handler();
  }

  private stored(name: StoredName, message: MessageEvent<string>): void {
    const id = Number.parseInt(message.lastEventId, 10);
    const isFirst = this.isFirstOfConnection;
    this.isFirstOfConnection = false;
    if (this.lastId !== null && id <= this.lastId) {
      if (!isFirst || id === this.lastId) return;
      // The feed began anew below what was seen: a backup was restored.
      this.forgetTexts();
      for (const handler of this.gapHandlers) handler();
    }
    this.lastId = id;
    const event = { name, id, payload: JSON.parse(message.data) as unknown } as LiveEvent;
    const job = event.payload.job_id;
    if (this.texts.close(event) && job !== null) this.textsChanged(job);
    for (const handler of this.eventHandlers) handler(event);
  }

  private piece(message: MessageEvent<string>): void {
    const piece = JSON.parse(message.data) as Piece;
    this.texts.add(piece);
    this.textsChanged(piece.job_id);
  }

  private textsChanged(job: string): void {
    this.snapshots.delete(job);
    for (const handler of this.textHandlers.get(job) ?? []) handler();
  }

  private forgetTexts(): void {
    const open = this.texts.openJobs();
    this.texts.clear();
    for (const job of open) this.textsChanged(job);
  }

  private readonly reconnect = (): void => {
    this.lastTick = Date.now();
    this.setStatus("reconnecting");
    this.connect();
  };

  private readonly wentOffline = (): void => this.setStatus("offline");

  private readonly tick = (): void => {
    const now = Date.now();
    const slept = now - this.lastTick > SLEPT;
    this.lastTick = now;
    if (slept && this.source !== null) this.reconnect();
  };

  private readonly looked = (): void => {
    clearTimeout(this.hideTimer);
    if (document.visibilityState === "hidden") this.hideTimer = setTimeout(this.pause, UNSEEN);
    else if (this.source === null) this.reconnect();
  };

  private readonly pause = (): void => {
    clearTimeout(this.retryTimer);
    this.source?.close();
    this.source = null;
    this.setStatus("reconnecting");
  };

  private setStatus(status: FeedStatus): void {
    if (this.state === status) return;
    this.state = status;
    for (const handler of this.statusHandlers) handler();
  }
}

function add<Handler>(handlers: Set<Handler>, handler: Handler): () => void {
  handlers.add(handler);
  return () => {
    handlers.delete(handler);
  };
}

/** The app's feed. */
export const feed = new Feed({ url: "/api/v1/events" });

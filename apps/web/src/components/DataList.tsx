// Every long list of the app: rows are virtual, pages come by cursor as the reader nears the end, j, k and enter walk
// it, and on a phone the rows become cards. It is a table for people who do not see the screen.
import { Loader, Text } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { Link, type LinkProps, useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import classes from "./DataList.module.css";
import { ErrorState } from "./ErrorState";
import { ListSkeleton } from "./Skeletons";

export type Column<Item> = {
  /** Its name in the header, and before the value on a card. */
  header: string;
  cell: (item: Item) => ReactNode;
  /** A grid track: "120px", "minmax(0, 2fr)". Default: minmax(0, 1fr). */
  width?: string;
  align?: "right";
  /** Left out of cards. */
  wideOnly?: boolean;
};

type ListPage<Item> = { items: Item[]; next_cursor: string | null };
export type ListPages<Item> = Pick<
  UseInfiniteQueryResult<InfiniteData<ListPage<Item>, unknown>, unknown>,
  | "data"
  | "error"
  | "isPending"
  | "hasNextPage"
  | "isFetchingNextPage"
  | "isFetchNextPageError"
  | "fetchNextPage"
  | "refetch"
>;

export type DataListProps<Item> = {
  /** What is listed: "Work items". */
  label: string;
  /** The answer of `$api.useInfiniteQuery(…, paging)`. */
  pages: ListPages<Item>;
  idOf: (item: Item) => string;
  /** The first column holds what a row is called and carries its link. */
  columns: readonly Column<Item>[];
  /** Where a row leads. */
  link?: (item: Item) => LinkProps;
  /** Instead of a link: what a row does, for example open a drawer. */
  onOpen?: (item: Item) => void;
  /** What is shown when there is nothing; tell a filter that finds nothing from a place that is empty. */
  empty: ReactNode;
};

const ROW = 41;
const AHEAD = 15;

export function DataList<Item>(props: DataListProps<Item>) {
  const { pages } = props;
  const items = useMemo(() => pages.data?.pages.flatMap((page) => page.items) ?? [], [pages.data]);
  if (pages.isPending) return <ListSkeleton />;
  if (pages.error !== null && items.length === 0) {
    return (
      <ErrorState error={pages.error} title={`${props.label} could not be loaded`} retry={() => void pages.refetch()} />
    );
  }
  if (items.length === 0) return props.empty;
  return <Rows {...props} items={items} />;
}

function Rows<Item>(props: DataListProps<Item> & { items: Item[] }) {
  const { pages, items, columns, idOf } = props;
  const { list, virtual } = useRows(items, idOf);
  const selected = useSelection(props, (index) => virtual.scrollToIndex(index));
  const rows = virtual.getVirtualItems();
  const last = rows.at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  // What failed is asked for again by the reader, and not for ever by itself.
  const goesOn = hasNextPage && !isFetchingNextPage && pages.error === null;
  useEffect(() => {
    if (last >= items.length - AHEAD && goesOn) void fetchNextPage();
  }, [last, items.length, goesOn, fetchNextPage]);
  const tracks = { "--tracks": columns.map((column) => column.width ?? "minmax(0, 1fr)").join(" ") } as CSSProperties;
  return (
    <div role="table" aria-label={props.label} aria-rowcount={hasNextPage ? -1 : items.length + 1} style={tracks}>
      <div role="rowgroup" className={classes.head}>
        <div role="row" className={classes.headRow} aria-rowindex={1}>
          {columns.map((column) => (
            <div key={column.header} role="columnheader" className={classes.headCell} data-align={column.align}>
              {column.header}
            </div>
          ))}
        </div>
      </div>
      <div ref={list} role="rowgroup" className={classes.body} style={{ height: virtual.getTotalSize() }}>
        {rows.map((row) => {
          const item = items[row.index];
          if (item === undefined) return null;
          return (
            <div
              key={row.key}
              ref={virtual.measureElement}
              role="row"
              className={classes.row}
              data-index={row.index}
              data-selected={row.index === selected || undefined}
              aria-rowindex={row.index + 2}
              style={{ transform: `translateY(${row.start - virtual.options.scrollMargin}px)` }}
            >
              <Cells {...props} item={item} />
            </div>
          );
        })}
      </div>
      {isFetchingNextPage && <Loader size="sm" className={classes.more} aria-label="Loading more" />}
      {pages.error !== null && !isFetchingNextPage && <Broken label={props.label} pages={pages} />}
      {!hasNextPage && items.length > 50 && (
        <Text size="xs" c="dimmed" className={classes.end}>
          These are all {items.length}.
        </Text>
      )}
    </div>
  );
}

/** The rows are there, but the next ones, or the newest, are not. */
function Broken<Item>({ label, pages }: Pick<DataListProps<Item>, "label" | "pages">) {
  const { error, isFetchNextPageError, fetchNextPage, refetch } = pages;
  if (isFetchNextPageError)
    return (
      <ErrorState error={error} title={`${label} could not be loaded further`} retry={() => void fetchNextPage()} />
    );
  return <ErrorState error={error} title={`${label} could not be loaded again`} retry={() => void refetch()} />;
}

function Cells<Item>({ columns, item, link, onOpen }: DataListProps<Item> & { item: Item }) {
  return columns.map((column, index) => {
    const content = column.cell(item);
    return (
      <div
        key={column.header}
        role="cell"
        className={classes.cell}
        data-align={column.align}
        data-first={index === 0 || undefined}
        data-wide-only={column.wideOnly || undefined}
      >
        {index > 0 && content !== null && <span className={classes.cardLabel}>{column.header}</span>}
        {index === 0 ? <Opener link={link?.(item)} open={onOpen && (() => onOpen(item))} content={content} /> : content}
      </div>
    );
  });
}

/** Covers the whole row, so that a click anywhere opens it and other links in it still work. */
function Opener({ link, open, content }: { link?: LinkProps; open?: () => void; content: ReactNode }) {
  if (link !== undefined) {
    return (
      <Link {...link} className={classes.opener}>
        {content}
      </Link>
    );
  }
  if (open === undefined) return content;
  return (
    <button type="button" className={classes.opener} onClick={open}>
      {content}
    </button>
  );
}

/** The scroller is the shell's main region; the list begins somewhere below its top, and what is above it may grow. */
function useRows<Item>(items: Item[], idOf: (item: Item) => string) {
  const list = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  useLayoutEffect(() => {
    const scroller = document.getElementById("main");
    if (scroller === null) return;
    const measure = () => {
      if (list.current === null) return;
      const top = list.current.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
      setMargin(top + scroller.scrollTop);
    };
    measure();
    const observer = new ResizeObserver(measure);
    for (const content of scroller.children) observer.observe(content);
    return () => observer.disconnect();
  }, []);
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => document.getElementById("main"),
    estimateSize: () => ROW,
    overscan: 8,
    scrollMargin: margin,
    initialRect: { width: 1_024, height: 768 },
    getItemKey: (index) => {
      const item = items[index];
      return item === undefined ? index : idOf(item);
    },
  });
  return { list, virtual };
}

/** Which row j and k have walked to; -1 before the first step. */
function useSelection<Item>(props: DataListProps<Item> & { items: Item[] }, show: (index: number) => void): number {
  const { items, idOf, link, onOpen } = props;
  const [id, setId] = useState<string | null>(null);
  const navigate = useNavigate();
  const index = items.findIndex((item) => idOf(item) === id);
  const move = (step: number) => {
    const next = Math.min(items.length - 1, Math.max(0, index + step));
    const item = items[next];
    if (item === undefined) return;
    setId(idOf(item));
    show(next);
  };
  const open = (event: KeyboardEvent) => {
    const item = items[index];
    const onControl = event.target instanceof Element && event.target.closest("a, button") !== null;
    if (item === undefined || onControl) return;
    if (onOpen !== undefined) onOpen(item);
    else if (link !== undefined) void navigate(link(item));
  };
  useHotkeys([
    ["j", () => move(1)],
    ["k", () => move(-1)],
    ["Enter", open, { preventDefault: false }],
  ]);
  return index;
}

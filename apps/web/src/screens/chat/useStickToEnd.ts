// Keeps the end of a conversation in sight as it grows, until the reader scrolls away from it.
import { type RefObject, useCallback, useEffect, useRef } from "react";

/** So near the end, in pixels, the reader is taken to be at it. */
const NEAR_END = 48;

export function useStickToEnd(scroller: RefObject<HTMLElement | null>) {
  const isStuck = useRef(true);
  const observer = useRef<ResizeObserver>(null);
  const content = useCallback(
    (element: HTMLElement | null) => {
      observer.current?.disconnect();
      if (element === null) return;
      const toEnd = () => {
        const box = scroller.current;
        if (box !== null && isStuck.current) box.scrollTop = box.scrollHeight;
      };
      observer.current = new ResizeObserver(toEnd);
      observer.current.observe(element);
    },
    [scroller],
  );
  useEffect(() => () => observer.current?.disconnect(), []);
  const onScroll = () => {
    const box = scroller.current;
    if (box !== null) isStuck.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END;
  };
  return { content, onScroll };
}

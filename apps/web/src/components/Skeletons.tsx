// What stands in a place until its content is there; the same size as the content, so that nothing jumps.
import { Skeleton, Stack } from "@mantine/core";

const KEYS = Array.from({ length: 24 }, (_, index) => `row-${index}`);

/** Rows of a list. */
export function ListSkeleton({ rows = 8 }: { rows?: number }) {
  return (
    <Stack gap="sm" role="status" aria-label="Loading">
      {KEYS.slice(0, rows).map((key) => (
        <Skeleton key={key} height={32} animate={false} />
      ))}
    </Stack>
  );
}

/** A box of text or figures. */
export function CardSkeleton({ height = 96 }: { height?: number }) {
  return (
    <div role="status" aria-label="Loading">
      <Skeleton height={height} animate={false} />
    </div>
  );
}

/** A whole page below the shell. */
export function PageSkeleton() {
  return (
    <Stack p="xl" gap="lg" maw={1200} mx="auto" role="status" aria-label="Loading">
      <Skeleton height={28} width={220} animate={false} />
      <Skeleton height={160} animate={false} />
      <Skeleton height={160} animate={false} />
    </Stack>
  );
}

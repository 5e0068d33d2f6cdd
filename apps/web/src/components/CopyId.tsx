// An id, shortened; a click copies it whole.
import { Tooltip, UnstyledButton } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { shortId } from "../lib/format";
import classes from "./CopyId.module.css";

export type CopyIdProps = {
  id: string;
  /** What the id is of, for people who do not see the screen: "job". */
  of: string;
  /** Show it whole. */
  whole?: boolean;
};

export function CopyId({ id, of, whole = false }: CopyIdProps) {
  const clipboard = useClipboard({ timeout: 1_500 });
  const Shown = clipboard.copied ? IconCheck : IconCopy;
  return (
    <Tooltip label={clipboard.copied ? "Copied" : id}>
      <UnstyledButton
        className={classes.id}
        onClick={(event) => {
          event.stopPropagation();
          event.preventDefault();
          clipboard.copy(id);
        }}
      >
        <span className="visually-hidden">
          {clipboard.copied ? "Copied" : "Copy"} the id of the {of}{" "}
        </span>
        <span className="mono">{whole ? id : shortId(id)}</span>
        <Shown size={12} aria-hidden />
      </UnstyledButton>
    </Tooltip>
  );
}

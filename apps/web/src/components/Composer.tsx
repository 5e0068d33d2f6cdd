// Where people type to agents: enter sends, shift and enter begins a line. What was typed is there again when it
// could not be sent, and when somebody comes back to it.
import { ActionIcon, Textarea } from "@mantine/core";
import { IconArrowUp } from "@tabler/icons-react";
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";
import classes from "./Composer.module.css";
import { useDraft } from "./useDraft";

export type ComposerProps = {
  /** Whose draft is kept here: "conversation 7". */
  place: string;
  label: string;
  placeholder: string;
  /** Sends it; a refusal gives the text back. */
  onSend: (text: string) => Promise<unknown>;
  /** Beside the button that sends. */
  extra?: ReactNode;
  /** One line below. */
  hint?: ReactNode;
  autoFocus?: boolean;
};

export function Composer({ place, label, placeholder, onSend, extra, hint, autoFocus = false }: ComposerProps) {
  const [text, setText] = useDraft(place);
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    // On a phone the keyboard would cover what there is to read.
    if (autoFocus && window.matchMedia("(pointer: fine)").matches) input.current?.focus();
  }, [autoFocus]);
  const send = async () => {
    const words = text.trim();
    if (words === "") return;
    setText(() => "");
    try {
      await onSend(words);
    } catch {
      // The caller says why; nothing that was typed meanwhile is lost either.
      setText((typed) => (typed === "" ? words : `${words}\n${typed}`));
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While a word is being composed, enter chooses it.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send();
  };
  return (
    <form
      className={classes.composer}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <div className={classes.row}>
        <Textarea
          ref={input}
          className={classes.input}
          aria-label={label}
          placeholder={placeholder}
          autosize
          minRows={1}
          maxRows={8}
          value={text}
          onChange={({ currentTarget: { value } }) => setText(() => value)}
          onKeyDown={onKeyDown}
        />
        {extra}
        <ActionIcon
          type="submit"
          size={36}
          variant="filled"
          color="accent"
          aria-label="Send"
          disabled={text.trim() === ""}
        >
          <IconArrowUp size={18} aria-hidden />
        </ActionIcon>
      </div>
      {hint !== undefined && <div className={classes.hint}>{hint}</div>}
    </form>
  );
}

// Links of the app that look like text or like a button. The router checks where they lead.
import { Anchor, type AnchorProps, Button, type ButtonProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import { type ComponentPropsWithRef, forwardRef } from "react";

type PlainAnchor = AnchorProps & Omit<ComponentPropsWithRef<"a">, keyof AnchorProps>;
type PlainButton = ButtonProps & Omit<ComponentPropsWithRef<"a">, keyof ButtonProps>;

const TextAnchor = forwardRef<HTMLAnchorElement, PlainAnchor>((props, ref) => <Anchor ref={ref} {...props} />);
TextAnchor.displayName = "TextAnchor";
const ButtonAnchor = forwardRef<HTMLAnchorElement, PlainButton>((props, ref) => (
  <Button component="a" ref={ref} {...props} />
));
ButtonAnchor.displayName = "ButtonAnchor";

/** A link in text. */
export const TextLink = createLink(TextAnchor);
/** A link that is the next step. */
export const ButtonLink = createLink(ButtonAnchor);

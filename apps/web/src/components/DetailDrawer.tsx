// One row of a list in full, beside the list.
import { Drawer } from "@mantine/core";
import type { ReactNode } from "react";

export type DetailDrawerProps = {
  title: string;
  onClose: () => void;
  children: ReactNode;
};

export function DetailDrawer({ title, onClose, children }: DetailDrawerProps) {
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      size="lg"
      title={title}
      closeButtonProps={{ "aria-label": "Close" }}
      transitionProps={{ duration: 120 }}
    >
      {children}
    </Drawer>
  );
}

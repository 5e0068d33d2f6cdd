// A button for what cannot be taken back: it names the thing and the consequence, and asks once more.
import { Button, type ButtonProps, Group, Modal, Stack } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ReactNode, useState } from "react";
import { ErrorState } from "./ErrorState";

export type ConfirmButtonProps = {
  /** On the button: "Delete". */
  children: ReactNode;
  /** The question: "Delete the agent Ada?" */
  title: string;
  /** What follows from it. */
  message: ReactNode;
  /** On the button that does it, a verb and the thing: "Delete agent". */
  confirm: string;
  /** Does it; a refusal is shown in the question. */
  onConfirm: () => Promise<unknown>;
  danger?: boolean;
  disabled?: boolean;
  variant?: ButtonProps["variant"];
  size?: ButtonProps["size"];
  leftSection?: ReactNode;
};

export function ConfirmButton(props: ConfirmButtonProps) {
  const { danger = true, variant = "default" } = props;
  const [opened, question] = useDisclosure(false);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const close = () => {
    setError(null);
    question.close();
  };
  const confirm = async () => {
    setBusy(true);
    setError(null);
    try {
      await props.onConfirm();
      close();
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button
        variant={variant}
        size={props.size}
        disabled={props.disabled}
        leftSection={props.leftSection}
        onClick={question.open}
      >
        {props.children}
      </Button>
      <Modal opened={opened} onClose={close} title={props.title} closeButtonProps={{ "aria-label": "Close" }}>
        <Stack>
          <div>{props.message}</div>
          {error !== null && <ErrorState error={error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close} data-autofocus>
              Cancel
            </Button>
            <Button color={danger ? "red.8" : undefined} loading={isBusy} onClick={confirm}>
              {props.confirm}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

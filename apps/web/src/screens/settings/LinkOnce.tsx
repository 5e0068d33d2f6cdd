// A link that lets somebody in, shown this once, with what to do with it.
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import type { LinkView } from "../../api/types";
import { RelativeTime } from "../../components/RelativeTime";
import { Secret } from "../../components/Secret";

export function LinkOnce({ link, onClose }: { link: LinkView; onClose: () => void }) {
  const isReset = link.kind === "reset";
  const who = link.email ?? "them";
  return (
    <Modal
      opened
      onClose={onClose}
      title={isReset ? "Password reset link" : "Invitation link"}
      size="lg"
      closeOnClickOutside={false}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Stack>
        <Secret title={isReset ? `Send this to ${who}` : `Send this to ${who} to let them in`} value={link.url}>
          <Text size="sm">
            Whoever opens it {isReset ? "sets a new password" : "gets the login"}, so send it over a channel you trust.
            It works once and expires <RelativeTime at={link.expires_at} />.
          </Text>
        </Secret>
        <Group justify="flex-end">
          <Button onClick={onClose}>I have sent it</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

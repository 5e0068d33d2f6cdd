// Deleting an agent, and what becomes of its computer. The server refuses to guess: an agent whose sprite holds
// files is deleted only once somebody said whether these stay.
import { Button, Group, Modal, Radio, Stack, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { $api, toProblem } from "../../api/client";
import { ErrorState } from "../../components/ErrorState";
import { notifyDone } from "../../components/notify";
import type { AgentView } from "./types";

type Props = { agent: AgentView; isOpen: boolean; onClose: () => void };

export function DeleteAgent({ agent, isOpen, onClose }: Props) {
  const [fate, setFate] = useState<"keep" | "destroy" | null>(null);
  const cache = useQueryClient();
  const navigate = useNavigate();
  const remove = $api.useMutation("delete", "/api/v1/agents/{id}");
  const hasSprite = remove.isError && toProblem(remove.error).code === "sprite_exists";

  const confirm = async () => {
    try {
      await remove.mutateAsync({ params: { path: { id: agent.id }, query: fate === null ? {} : { sprite: fate } } });
    } catch {
      return;
    }
    notifyDone(`${agent.name} was deleted. What it did stays readable.`);
    await navigate({ to: "/agents" });
    await cache.invalidateQueries({
      predicate: ({ queryKey }) => ["/api/v1/agents", "/api/v1/overview"].includes(String(queryKey[1])),
    });
  };
  const close = () => {
    remove.reset();
    setFate(null);
    onClose();
  };

  return (
    <Modal opened={isOpen} onClose={close} title={`Delete ${agent.name}?`} closeButtonProps={{ "aria-label": "Close" }}>
      <Stack gap="lg">
        <Text size="sm">
          It sees no new work and leaves all lists. Its jobs, costs and messages stay readable. This cannot be undone;
          to pause it, switch it off instead.
        </Text>
        {hasSprite && (
          <Radio.Group
            label={`${agent.name} has a sprite with files in it. What becomes of them?`}
            value={fate}
            onChange={(value) => setFate(value as "keep" | "destroy")}
          >
            <Stack gap="sm" mt="sm">
              <Radio
                value="keep"
                label="Keep the files"
                description="They stay on the sprite's host and can be fetched from there."
              />
              <Radio
                value="destroy"
                label="Destroy the sprite"
                description="Files, checkpoints and everything that runs there are gone for good."
              />
            </Stack>
          </Radio.Group>
        )}
        {remove.isError && !hasSprite && <ErrorState error={remove.error} title={`${agent.name} was not deleted`} />}
        <Group justify="flex-end" gap="sm">
          <Button variant="default" onClick={close}>
            Do not delete
          </Button>
          <Button color="red.8" loading={remove.isPending} disabled={hasSprite && fate === null} onClick={confirm}>
            {fate === "destroy" ? "Delete agent and sprite" : "Delete"}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

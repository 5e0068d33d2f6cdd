// Work handed in by hand goes the same way as a message from a channel; who shall do it may be left to the agents.
import { Button, Group, Modal, MultiSelect, Stack, Textarea } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { $api, toProblem } from "../../api/client";
import { useAgentNames } from "../../api/names";
import { sendOnce, unsent } from "../../api/sendOnce";
import { ErrorState } from "../../components/ErrorState";
import { useDraft } from "../../components/useDraft";

type Work = { text: string; agent_ids: string[] };

const NOTHING: Work = { text: "", agent_ids: [] };

export function HandInWork() {
  const [opened, dialog] = useDisclosure(false);
  return (
    <>
      <Button leftSection={<IconPlus size={14} aria-hidden />} onClick={dialog.open}>
        Hand in work
      </Button>
      <Modal opened={opened} onClose={dialog.close} title="Hand in work" closeButtonProps={{ "aria-label": "Close" }}>
        <WorkForm close={dialog.close} />
      </Modal>
    </>
  );
}

function WorkForm({ close }: { close: () => void }) {
  const agents = useAgentNames();
  const navigate = useNavigate();
  const create = $api.useMutation("post", "/api/v1/work-items");
  // A click beside the dialog closes it; what was typed is there when it opens again.
  const [draft, setDraft] = useDraft("work to hand in");
  const keep = (work: Work) => setDraft(() => (work === NOTHING ? "" : JSON.stringify(work)));
  const form = useForm<Work>({
    initialValues: draft === "" ? NOTHING : (JSON.parse(draft) as Work),
    onValuesChange: keep,
    validate: { text: (text) => (text.trim() === "" ? "Say what is wanted." : null) },
  });
  const submit = form.onSubmit(async (values) => {
    try {
      const item = await sendOnce("work to hand in", values, (init) => create.mutateAsync(init));
      keep(NOTHING);
      close();
      await navigate({ to: "/work-items/$id", params: { id: item.id } });
    } catch (error) {
      form.setErrors(toProblem(error).fieldErrors());
    }
  });
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <Textarea
          label="What is wanted"
          autosize
          minRows={3}
          maxRows={12}
          data-autofocus
          {...form.getInputProps("text")}
        />
        <MultiSelect
          label="Who shall do it"
          description="Leave it empty and every agent decides for itself."
          placeholder={form.values.agent_ids.length === 0 ? "Every agent" : undefined}
          data={[...agents].map(([value, label]) => ({ value, label }))}
          clearable
          searchable
          {...form.getInputProps("agent_ids")}
        />
        {create.error !== null && (
          <ErrorState error={create.error} title={unsent(create.error, "The work was not handed in")} />
        )}
        <Group justify="flex-end">
          <Button
            variant="default"
            onClick={() => {
              keep(NOTHING);
              close();
            }}
          >
            Cancel
          </Button>
          <Button type="submit" loading={create.isPending}>
            Hand in
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

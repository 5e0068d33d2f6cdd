// What a person can do about an effect. Sending something that may have arrived already asks once more, because it
// cannot be taken back.
import { Button, Group } from "@mantine/core";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import { ConfirmButton } from "../../components/ConfirmButton";
import { notifyDone, notifyProblem } from "../../components/notify";
import { useRefreshEffects } from "../../live/useRefreshEffects";
import { type Choice, choiceLabel, type EffectView, standing } from "./standing";

const DONE: Record<Choice, string> = {
  release: "It is on its way.",
  resend: "It is sent again.",
  mark_sent: "It is marked as sent.",
  cancel: "It will not be sent.",
};

export function EffectChoices({ effect }: { effect: EffectView }) {
  const mayOperate = useMay("effects", "operate");
  const release = $api.useMutation("post", "/api/v1/effects/{id}/release");
  const cancel = $api.useMutation("post", "/api/v1/effects/{id}/cancel");
  const refresh = useRefreshEffects();
  const { choices } = standing(effect);
  if (!mayOperate || choices.length === 0) return null;

  const params = { path: { id: effect.id } };
  const choose = async (choice: Choice) => {
    if (choice === "cancel") await cancel.mutateAsync({ params });
    else await release.mutateAsync({ params, body: choice === "release" ? {} : { resolve: choice } });
    await refresh();
    notifyDone(DONE[choice]);
  };
  const tryTo = (choice: Choice) =>
    choose(choice).catch((error: unknown) => notifyProblem("The effect could not be changed", error));
  const isBusy = release.isPending || cancel.isPending;
  return (
    <Group gap="sm">
      {choices.map((choice, index) => {
        const label = choiceLabel(choice, effect.status);
        if (choice === "resend")
          return (
            <ConfirmButton
              key={choice}
              title="Send it again?"
              message="If it did arrive the first time, people will see it twice. Look at the destination first."
              confirm="Send again"
              onConfirm={() => choose(choice)}
            >
              {label}
            </ConfirmButton>
          );
        if (choice === "cancel")
          return (
            <ConfirmButton
              key={choice}
              title="Not send it?"
              message="It stays in the list as cancelled. Nobody outside will see it, and it cannot be sent later."
              confirm="Do not send"
              onConfirm={() => choose(choice)}
            >
              {label}
            </ConfirmButton>
          );
        return (
          <Button
            key={choice}
            variant={index === 0 ? "filled" : "default"}
            loading={isBusy}
            onClick={() => void tryTo(choice)}
          >
            {label}
          </Button>
        );
      })}
    </Group>
  );
}

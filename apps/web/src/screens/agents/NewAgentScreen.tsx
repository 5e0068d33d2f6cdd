// A new agent in three steps: who it is, how it works, and a first conversation that really happens. The agent is
// made at the end of the second, so that a name that is taken or a model that is unknown is told before.
import { Button, Group, Stack, Textarea, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { $api } from "../../api/client";
import { useMay } from "../../api/session";
import { ErrorState } from "../../components/ErrorState";
import { TextLink } from "../../components/Links";
import { NotAllowed } from "../../components/NotAllowed";
import { Page } from "../../components/Page";
import { CardSkeleton } from "../../components/Skeletons";
import { Steps } from "../../components/Steps";
import { UnsavedGuard } from "../../components/UnsavedGuard";
import { placeErrors } from "../../lib/fieldErrors";
import { type AgentValues, budgetProblem, createBody, modelProblem, nameProblem } from "./agentForm";
import { TemplateCards } from "./TemplateCards";
import { type AgentTemplate, templateOf } from "./templates";
import type { AgentView } from "./types";
import { AGENT_FIELDS } from "./useSaveAgent";

// The first step is to be there at once; what the others need is loaded while it is filled in.
const HowItWorks = lazy(() => import("./HowItWorks"));
const Hello = lazy(() => import("./Hello"));

const STEPS = ["Who it is", "How it works", "Say hello"] as const;
const FIRST = ["name", "instructions"];

function valuesOf(template: AgentTemplate): AgentValues {
  return {
    name: template.name,
    instructions: template.instructions,
    model: null,
    enabled: true,
    reply_policy: template.replyPolicy,
    steering: "steer",
    budget: { kind: "default" },
    tools: null,
  };
}

const BACK = (
  <TextLink to="/agents" size="sm">
    Agents
  </TextLink>
);

export function NewAgentScreen() {
  if (useMay("agents", "administer")) return <Setup />;
  return (
    <Page title="New agent" back={BACK}>
      <NotAllowed what="Making agents" />
    </Page>
  );
}

function Setup() {
  const search = useSearch({ from: "/shell/agents/new" });
  const [template, setTemplate] = useState(() => templateOf(search.template ?? "assistant"));
  const [step, setStep] = useState(0);
  const [made, setMade] = useState<AgentView | null>(null);
  const [problem, setProblem] = useState<unknown>(null);
  const cache = useQueryClient();
  const create = $api.useMutation("post", "/api/v1/agents");
  const form = useForm<AgentValues>({
    initialValues: valuesOf(template),
    validate: {
      name: nameProblem,
      model: modelProblem,
      budget: budgetProblem,
    },
  });
  const { values } = form;
  const isTyped = values.name !== template.name || values.instructions !== template.instructions;
  const field = <Key extends keyof AgentValues & string>(key: Key) => ({
    value: values[key],
    onChange: (value: AgentValues[Key]) => form.setValues({ [key]: value } as Partial<AgentValues>),
    error: form.errors[key],
  });

  const choose = (next: AgentTemplate) => {
    setTemplate(next);
    // What a person wrote is kept; only what came from a template is replaced by that of another.
    const fresh = valuesOf(next);
    form.setValues({
      reply_policy: fresh.reply_policy,
      ...(values.name === template.name ? { name: fresh.name } : {}),
      ...(values.instructions === template.instructions ? { instructions: fresh.instructions } : {}),
    });
  };
  const goOn = () => {
    if (!form.validateField("name").hasError) setStep(1);
  };
  const submit = form.onSubmit(async () => {
    setProblem(null);
    try {
      const agent = await create.mutateAsync({ body: createBody(values) });
      void cache.invalidateQueries({ queryKey: ["get", "/api/v1/agents"] });
      void cache.invalidateQueries({ queryKey: ["get", "/api/v1/overview"] });
      setMade(agent);
      setStep(2);
    } catch (error) {
      const placed = placeErrors(error, (name) => name in values, AGENT_FIELDS);
      form.setErrors(placed.errors);
      if (!placed.isComplete) setProblem(error);
      if (FIRST.some((name) => name in placed.errors)) setStep(0);
    }
  });

  return (
    <Page title="New agent" back={BACK}>
      <UnsavedGuard when={isTyped && made === null} />
      <Stack gap="xl" maw={760}>
        <Steps steps={STEPS} active={step} />
        {made === null ? (
          <form
            noValidate
            onSubmit={(event) => {
              if (step === 1) return submit(event);
              event.preventDefault();
              goOn();
            }}
          >
            {step === 0 && (
              <Stack gap="xl">
                <TemplateCards chosen={template.key} onChoose={choose} />
                <TextInput
                  label="Name"
                  description="People call it by this name in chats."
                  placeholder="Ada"
                  data-autofocus
                  {...form.getInputProps("name")}
                />
                <Textarea
                  label="Instructions"
                  description="What it is for, how it answers, what it must ask about. You can change them at any time."
                  autosize
                  minRows={8}
                  maxRows={20}
                  {...form.getInputProps("instructions")}
                />
                <Group>
                  <Button type="submit">Go on</Button>
                </Group>
              </Stack>
            )}
            {step === 1 && (
              <Stack gap="xl">
                <Suspense fallback={<CardSkeleton height={360} />}>
                  <HowItWorks field={field} />
                </Suspense>
                {problem !== null && <ErrorState error={problem} title="The agent was not made" />}
                <Group gap="sm">
                  <Button variant="default" onClick={() => setStep(0)}>
                    Back
                  </Button>
                  <Button type="submit" loading={create.isPending}>
                    Make {values.name.trim()}
                  </Button>
                </Group>
              </Stack>
            )}
          </form>
        ) : (
          <Suspense fallback={<CardSkeleton height={240} />}>
            <Hello agent={made} template={template} />
          </Suspense>
        )}
      </Stack>
    </Page>
  );
}

// How long what jobs leave behind is kept. What happened and what it cost is kept for good and has no setting.
import { Button, Checkbox, Group, NumberInput, Paper, Stack, Text } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { $api, toProblem } from "../../api/client";
import { useMay } from "../../api/session";
import type { RetentionView } from "../../api/types";
import { ErrorState } from "../../components/ErrorState";
import { Loaded } from "../../components/Loaded";
import { CardSkeleton } from "../../components/Skeletons";
import {
  PERIODS,
  type Period,
  periodProblem,
  type RetentionValues,
  retentionBody,
  retentionValues,
} from "./retentionForm";
import { Section } from "./Section";
import { useAfterwards } from "./useAfterwards";

export function RetentionSection() {
  const retention = $api.useQuery("get", "/api/v1/settings/retention");
  return (
    <Section
      title="Retention"
      description="Work items, decisions, jobs, effects and what they cost are kept for good. What jobs leave behind beside that is removed some days after the job has ended."
    >
      <Loaded query={retention} failure="The periods could not be loaded" skeleton={<CardSkeleton height={240} />}>
        {(known) => <RetentionForm retention={known} />}
      </Loaded>
    </Section>
  );
}

function RetentionForm({ retention }: { retention: RetentionView }) {
  const mayChange = useMay("settings", "administer");
  const [error, setError] = useState<unknown>(null);
  const save = $api.useMutation("put", "/api/v1/settings/retention");
  const afterwards = useAfterwards("/api/v1/settings/retention");
  const form = useForm<RetentionValues>({
    initialValues: retentionValues(retention),
    validate: Object.fromEntries(PERIODS.map(({ name }) => [name, periodProblem])),
  });
  const submit = form.onSubmit(async (values) => {
    setError(null);
    try {
      await save.mutateAsync({ body: retentionBody(values) });
      form.resetDirty();
      await afterwards("The periods are saved. A shorter one takes hold within the hour.");
    } catch (refusal) {
      form.setErrors(toProblem(refusal).fieldErrors());
      setError(refusal);
    }
  });
  return (
    <Paper p="lg" component="form" onSubmit={submit} maw={720}>
      <Stack gap="lg">
        {PERIODS.map(({ name, label, help }) => (
          <PeriodField
            key={name}
            label={label}
            help={help}
            disabled={!mayChange}
            value={form.values[name]}
            error={form.errors[name]}
            onChange={(value) => form.setFieldValue(name, value)}
          />
        ))}
        <Text size="sm" c="dimmed">
          A longer period brings nothing back that is gone.
        </Text>
        {error !== null && <ErrorState title="The periods could not be saved" error={error} />}
        {mayChange && (
          <Group>
            <Button type="submit" loading={form.submitting} disabled={!form.isDirty()}>
              Save periods
            </Button>
          </Group>
        )}
      </Stack>
    </Paper>
  );
}

type PeriodFieldProps = {
  label: string;
  help: string;
  disabled: boolean;
  value: Period;
  error?: React.ReactNode;
  onChange: (value: Period) => void;
};

function PeriodField({ label, help, disabled, value, error, onChange }: PeriodFieldProps) {
  return (
    <Group align="flex-end" gap="lg">
      <NumberInput
        label={label}
        description={help}
        suffix=" days"
        min={1}
        allowDecimal={false}
        w={360}
        maw="100%"
        disabled={disabled || value.isForever}
        error={error}
        value={value.isForever ? "" : value.days}
        placeholder={value.isForever ? "for good" : ""}
        onChange={(days) => onChange({ ...value, days })}
      />
      <Checkbox
        label="Keep for good"
        aria-label={`Keep ${label.toLowerCase()} for good`}
        mb={6}
        disabled={disabled}
        checked={value.isForever}
        onChange={(event) => onChange({ ...value, isForever: event.currentTarget.checked })}
      />
    </Group>
  );
}

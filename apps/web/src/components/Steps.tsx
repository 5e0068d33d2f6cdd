// Where one is in a guided set-up. All steps by name where there is room, and how many are left where there is not.
import { Stepper, Text } from "@mantine/core";
import { useDidUpdate } from "@mantine/hooks";

export type StepsProps = { steps: readonly string[]; active: number };

export function Steps({ steps, active }: StepsProps) {
  // A step begins at its top, however far down the one before ended.
  useDidUpdate(() => {
    document.getElementById("main")?.scrollTo({ top: 0 });
  }, [active]);
  return (
    <>
      <Text size="sm" c="dimmed" hiddenFrom="sm">
        Step {active + 1} of {steps.length}: {steps[active]}
      </Text>
      <Stepper active={active} size="sm" visibleFrom="sm" allowNextStepsSelect={false}>
        {steps.map((step) => (
          <Stepper.Step key={step} label={step} component="div" />
        ))}
      </Stepper>
    </>
  );
}

// Single sign-on: whether there is one, the address that the issuer has to be told, and the form that sets it up.
import { Group, Paper, Stack, Text } from "@mantine/core";
import { $api, toProblem } from "../../api/client";
import { useIsOwner } from "../../api/session";
import { CopyButton } from "../../components/CodeBlock";
import { ConfirmButton } from "../../components/ConfirmButton";
import { Loaded } from "../../components/Loaded";
import { CardSkeleton } from "../../components/Skeletons";
import { OidcForm } from "./OidcForm";
import { Section } from "./Section";
import { useAfterwards } from "./useAfterwards";

export function SsoSection() {
  const oidc = $api.useQuery("get", "/api/v1/settings/oidc");
  const isOwner = useIsOwner();
  const about = $api.useQuery("get", "/api/v1/about");
  const remove = $api.useMutation("delete", "/api/v1/settings/oidc");
  const afterwards = useAfterwards("/api/v1/settings/oidc", "/api/v1/access");
  // "There is none" is an answer too, also to who knew of one.
  const isUnset = oidc.isError && toProblem(oidc.error).status === 404;
  const known = isUnset ? { data: null, error: null, refetch: oidc.refetch } : oidc;
  const redirect = `${about.data?.public_url ?? window.location.origin}/api/v1/oidc/callback`;
  return (
    <Section
      title="Single sign-on"
      description="People log in with your company's login (OpenID Connect). Passwords of people who have one go on working. Owners alone change this."
      action={
        known.data &&
        isOwner && (
          <ConfirmButton
            title="Turn single sign-on off?"
            message="People without a password here cannot log in until you make them a reset link. The settings and the client secret are deleted."
            confirm="Turn off"
            onConfirm={async () => {
              await remove.mutateAsync({});
              await afterwards("Single sign-on is off.");
            }}
          >
            Turn off
          </ConfirmButton>
        )
      }
    >
      <Paper p="lg">
        <Stack gap={4}>
          <Text size="sm">Register a web application with your issuer and give it this redirect address:</Text>
          <Group gap="sm" wrap="nowrap" align="flex-start">
            <Text component="code" className="mono" size="sm" style={{ overflowWrap: "anywhere" }}>
              {redirect}
            </Text>
            <CopyButton text={redirect} of="the redirect address" />
          </Group>
        </Stack>
      </Paper>
      <Loaded query={known} failure="The settings could not be loaded" skeleton={<CardSkeleton height={320} />}>
        {(settings) => <OidcForm key={settings ? "set" : "unset"} oidc={settings} />}
      </Loaded>
    </Section>
  );
}

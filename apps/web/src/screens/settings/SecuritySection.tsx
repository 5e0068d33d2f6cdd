// Who I am here and how I prove it: my name, my password, my second factor, and where I am logged in.
import { Stack } from "@mantine/core";
import { useSession } from "../../api/session";
import { Section } from "./Section";
import { Identities } from "./security/Identities";
import { PasswordForm } from "./security/PasswordForm";
import { ProfileForm } from "./security/ProfileForm";
import { SessionList } from "./security/SessionList";
import { TwoFactor } from "./security/TwoFactor";

export function SecuritySection() {
  const { user, actor } = useSession();
  if (user === null) {
    return (
      <Section title="Profile" description={`You are using the service token ${actor.name}, which has no profile.`}>
        {null}
      </Section>
    );
  }
  return (
    <Stack gap={32}>
      <Section title="Profile" description={`You log in as ${user.email ?? user.name}. Your role is ${user.role}.`}>
        <ProfileForm user={user} />
      </Section>
      <Section
        title="Password"
        description={
          user.has_password
            ? "Changing it ends your other sessions."
            : "You log in through your company's issuer and have no password here. An admin can give you a reset link to set one."
        }
      >
        {user.has_password === true && <PasswordForm email={user.email ?? ""} />}
      </Section>
      {user.has_password === true && (
        <Section
          title="Second factor"
          description="A code from an authenticator on your phone, asked for after the password. Whoever learns your password still cannot log in."
        >
          <TwoFactor isOn={user.has_totp === true} />
        </Section>
      )}
      <Section
        title="Linked accounts"
        description="Accounts of yours on other channels. Linked, you may decide approvals there, and agents know that it is you."
      >
        <Identities />
      </Section>
      <Section
        title="Sessions"
        description="Where you are logged in. End what you do not recognise, and change your password."
      >
        <SessionList userId={user.id} />
      </Section>
    </Stack>
  );
}

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { PersonUpdate } from "people-tracking-sdk";

import { sdk, show, state } from "../tracker.js";

const text = (form: FormData, name: string) => {
  const value = form.get(name);
  return typeof value === "string" ? value.trim() : "";
};

/** Takes only the fields that were filled in, because an update keeps all fields that it does not contain. */
function readPerson(form: FormData): PersonUpdate {
  const [firstName, lastName, city] = [text(form, "firstName"), text(form, "lastName"), text(form, "city")];
  const [email, phone, wind] = [text(form, "email"), text(form, "phone"), text(form, "wind")];
  const contacts = {
    ...(email && { email: [{ address: email }] }),
    ...(phone && { phone: [{ number: phone.replace(/\D/g, "") }] }),
  };
  return {
    ...(firstName && { firstName }),
    ...(lastName && { lastName }),
    ...(city && { city }),
    ...((email || phone) && { contactInformation: contacts }),
    ...(wind && { customAttributes: { homeWind: wind } }),
  };
}

export function Details() {
  const note = useSignal<{ ok: boolean; text: string } | null>(null);
  const kind = state.value?.profile?.kind;

  const save = async (form: HTMLFormElement) => {
    const person = readPerson(new FormData(form));
    if (Object.keys(person).length === 0) {
      note.value = { ok: false, text: "Fill in at least one field." };
      return;
    }
    const outcome = await show(`updatePerson(${JSON.stringify(person)})`, () => sdk.updatePerson(person));
    note.value = outcome.success
      ? { ok: true, text: "Stored. It reaches your profile with the next batch." }
      : { ok: false, text: outcome.error.message };
  };

  return (
    <section class="details">
      <h1>Your details</h1>
      <p class="lede">
        {kind === "lead"
          ? "You are a lead now, so these go to your profile."
          : "Only a lead’s profile can be updated from a page. Start a chat first, or save and see what the tracker answers."}
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save(event.currentTarget);
        }}
      >
        <Field label="First name">
          <input name="firstName" type="text" autocomplete="given-name" maxLength={255} />
        </Field>
        <Field label="Last name">
          <input name="lastName" type="text" autocomplete="family-name" maxLength={255} />
        </Field>
        <Field label="Email">
          <input name="email" type="email" autocomplete="email" maxLength={255} />
        </Field>
        <Field label="Phone, with country code">
          <input name="phone" type="tel" autocomplete="tel" maxLength={255} />
        </Field>
        <Field label="City">
          <input name="city" type="text" autocomplete="address-level2" maxLength={255} />
        </Field>
        <Field label="Wind at home">
          <select name="wind">
            <option value="">Not said</option>
            <option>Light</option>
            <option>Steady</option>
            <option>Gusty</option>
          </select>
        </Field>
        <p class="actions">
          <button type="submit" class="button">
            Save details
          </button>
        </p>
        <p class="note" role="status" data-ok={note.value?.ok}>
          {note.value?.text}
        </p>
      </form>
    </section>
  );
}

const Field = ({ label, children }: { label: string; children: ComponentChildren }) => (
  <label class="field">
    <span>{label}</span>
    {children}
  </label>
);

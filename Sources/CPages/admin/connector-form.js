// The form of a connector. A new one begins with the platform; what is not known here yet is added on the way.

import { api } from "/pages/design/api.js";
import { button, h, linkButton, notice, outside } from "/pages/design/dom.js";
import { field, form } from "/pages/design/form.js";
import { rich, t } from "/pages/design/texts.js";
import { optionFields } from "./option-fields.js";

const anotherPlatform = "another";
const icons = { dify: "flow", typebot: "dialogs", openai: "spark", webhook: "code" };

/**
 * @param connector the present one, or null for a new one
 * @param done what to do with the connector that was saved
 */
export function connectorForm({ connector, providers, platforms, isAdmin, chosen = null, cancel, done }) {
  if (!providers.length && !isAdmin) return notice("", t("connectors.noProvider"));
  const details = h("div.form");
  const place = providerField({ providers, chosen: connector?.provider_id ?? chosen, isAdmin, isChange: Boolean(connector) });
  const kinds = kindFields(platforms);
  const name = field({ name: "name", label: t("name"), help: t("connectors.nameHelp"), hint: t("connectors.nameHint"), value: connector?.name, required: true });
  const isOnlyNew = !connector && !providers.length;
  let drawn = null;

  const isNew = () => place.read() === anotherPlatform;
  const provider = () => providers.find(({ id }) => id === place.read());
  const type = () => (isNew() ? kinds.read() : provider()?.type);

  const platformNow = () => platforms.find((one) => one.name === type());

  function follow() {
    place.hidden = isOnlyNew;
    kinds.element.hidden = !isNew();
    kinds.follow();
    const platform = platformNow();
    details.hidden = !platform;
    element.querySelector(".form-foot").hidden = !platform;
    if (!platform || drawn === `${isNew()} ${platform.name}`) return;
    drawn = `${isNew()} ${platform.name}`;
    details.replaceChildren(...detailFields({ connector, platform, isNew: isNew(), isAdmin, name, provider: provider() }));
  }

  const element = form({
    fields: [place, kinds.element, details], submit: t(connector ? "save" : "connectors.create"), cancel,
    send: async (values) => {
      const { place: _, family: __, type: ___, ...body } = values;
      body.options = { ...strayOptions(connector, platformNow()), ...body.options };
      Object.assign(body, isNew() ? await addProvider(kinds.read(), body.url, providers, platforms) : { provider_id: place.read() });
      done(connector ? await api.patch(`/connectors/${connector.id}`, body) : await api.post("/connectors", body));
    },
  });
  element.addEventListener("change", follow);
  follow();
  return element;
}

/** Takes back what was set for another platform. */
function strayOptions(connector, platform) {
  const known = new Set(platform.options.map(({ name }) => name));
  return Object.fromEntries(Object.keys(connector?.options ?? {}).filter((name) => !known.has(name)).map((name) => [name, null]));
}

function providerField({ providers, chosen, isAdmin, isChange }) {
  const options = providers.map((provider) => ({
    value: provider.id, label: provider.name, note: provider.display_name.slice(provider.name.length + 2, -1), icon: icons[family(provider.type)],
  }));
  if (isAdmin) options.push({ value: anotherPlatform, label: t("connectors.another"), note: t("connectors.anotherNote"), icon: "add" });
  const value = chosen ?? (options.length === 1 ? options[0].value : null);
  const spec = { name: "place", label: t("connectors.provider"), help: t("connectors.providerHelp"), value };
  if (!isChange && options.length <= 9) return field({ ...spec, kind: "doors", options });
  const named = options.map(({ value: id, label, note }) => ({ value: id, label: id === anotherPlatform ? label : `${label} (${note})` }));
  return field({ ...spec, kind: "select", options: isChange ? named : [{ value: "", label: t("connectors.choose") }, ...named] });
}

/** Which platform, and where it has several kinds of bots, which of them. */
function kindFields(platforms) {
  const families = Map.groupBy(platforms, ({ name }) => family(name));
  const doors = field({
    name: "family", kind: "doors", label: t("connectors.platform"),
    options: [...families].map(([key, members]) => ({
      value: key, label: members.length > 1 ? members[0].display_name.split(" ")[0] : members[0].display_name,
      note: t(`connectors.platforms.${key}`), icon: icons[key],
    })),
  });
  const kinds = h("div");
  const element = h("div.form", doors, kinds);
  let select = null;
  return {
    element,
    read: () => (select ? select.read() : families.get(doors.read())?.[0].name),
    follow() {
      const members = families.get(doors.read()) ?? [];
      kinds.hidden = members.length < 2;
      if (kinds.dataset.family === doors.read()) return;
      kinds.dataset.family = doors.read() ?? "";
      select = members.length < 2 ? null : field({
        name: "type", kind: "select", label: t("connectors.kind"), help: t("connectors.kindHelp"),
        options: members.map((one) => ({ value: one.name, label: one.display_name })),
      });
      kinds.replaceChildren(select ?? "");
    },
  };
}

function family(type) {
  return type.split("_")[0];
}

function detailFields({ connector, platform, isNew, isAdmin, name, provider }) {
  const kind = family(platform.name);
  const address = addressField({ connector, platform, isNew, provider });
  const isFirst = isNew || kind === "typebot";
  const mayOverride = isAdmin || provider?.any_address || connector?.url;
  return [
    isFirst && address, ...keyFields(connector, kind), name,
    ...optionFields(platform, connector?.options),
    isAdmin && field({ name: "shared", kind: "check", label: t("connectors.shared"), help: t("connectors.sharedHelp"), value: connector?.shared }),
    !isFirst && mayOverride && h("details.further", { open: Boolean(connector?.url) }, h("summary", t("connectors.advanced")), address),
  ].filter(Boolean);
}

function addressField({ connector, platform, isNew, provider }) {
  const spec = { name: "url", kind: "url", value: connector?.url };
  if (platform.name === "typebot") {
    return field({
      ...spec, label: t("connectors.startUrl"), help: rich("connectors.startUrlHelp"), required: true,
      hint: "https://typebot.io/api/v1/typebots/my-bot/startChat",
    });
  }
  if (!isNew) return field({ ...spec, label: t("connectors.override"), help: t("connectors.overrideHelp"), hint: provider?.url });
  const usual = platform.default_url;
  return field({
    ...spec, label: t("connectors.address"), required: !usual, hint: usual || "https://bot.example.com/ask",
    help: usual ? t("connectors.addressHelp", { url: usual }) : t("connectors.addressNeeded"),
  });
}

/** What is stored is never shown: it is replaced. */
function keyFields(connector, kind) {
  const input = field({
    name: "key", kind: "secret", label: t("connectors.key"), required: kind === "dify",
    help: h("span", rich(`connectors.keyHelp.${kind}`, { link: outside("platform.openai.com", "https://platform.openai.com/api-keys") })),
  });
  if (!connector?.key) return [input];
  input.hidden = true;
  input.read = () => input.control.value.trim() || null;
  const replace = button(t("connectors.replace"), () => {
    input.hidden = false;
    stored.hidden = true;
    input.control.focus();
  }, { kind: "small", "aria-label": `${t("connectors.replace")}: ${t("connectors.key")}` });
  const stored = h("div.field", h("span.label", t("connectors.key")), h("div.line", h("code", connector.key), replace));
  return [stored, input];
}

/** The provider of a platform at an address: the one there is, or a new one. Gives what the connector says of it. */
async function addProvider(type, url, providers, platforms) {
  const usual = platforms.find(({ name }) => name === type).default_url;
  const isTypebot = type === "typebot";
  const given = isTypebot && URL.canParse(url ?? "") ? new URL(url).origin : url;
  const at = given || usual;
  const known = providers.find((provider) => provider.type === type && provider.url === at);
  const provider = known ?? await api.post("/providers", { name: providerName(at), type, url: at });
  // Should the connector be refused after this, its provider is found again, under the address as it was given.
  if (!known) providers.push({ ...provider, url: at });
  return { provider_id: provider.id, url: isTypebot ? url : null };
}

const clouds = { "api.dify.ai": "Dify Cloud", "typebot.io": "Typebot Cloud", "api.openai.com": "OpenAI" };

function providerName(url) {
  const host = URL.canParse(url) ? new URL(url).host : url;
  return clouds[host] ?? host;
}

/** What leads to the first connector, where a page needs one. */
export function addConnectorButton(kind = "primary") {
  return linkButton(t("connectors.add"), "#/connectors/new", { kind, icon: "add" });
}

// The files of the pages, taken in as they are. A new file is three lines here and a row below.
#include "CPages.h"

// Compilers before C23 call #embed an extension.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char design_api_js[] = {
#embed "design/api.js"
};
static const unsigned char design_bbcode_js[] = {
#embed "design/bbcode.js"
};
static const unsigned char design_chart_js[] = {
#embed "design/chart.js"
};
static const unsigned char design_design_css[] = {
#embed "design/design.css"
};
static const unsigned char design_dom_js[] = {
#embed "design/dom.js"
};
static const unsigned char design_elements_js[] = {
#embed "design/elements.js"
};
static const unsigned char design_filters_js[] = {
#embed "design/filters.js"
};
static const unsigned char design_form_js[] = {
#embed "design/form.js"
};
static const unsigned char design_icon_svg[] = {
#embed "design/icon.svg"
};
static const unsigned char design_icons_js[] = {
#embed "design/icons.js"
};
static const unsigned char design_markdown_js[] = {
#embed "design/markdown.js"
};
static const unsigned char design_said_en_js[] = {
#embed "design/said-en.js"
};
static const unsigned char design_said_platforms_ru_js[] = {
#embed "design/said-platforms-ru.js"
};
static const unsigned char design_said_ru_js[] = {
#embed "design/said-ru.js"
};
static const unsigned char design_shell_js[] = {
#embed "design/shell.js"
};
static const unsigned char design_texts_en_js[] = {
#embed "design/texts-en.js"
};
static const unsigned char design_texts_ru_js[] = {
#embed "design/texts-ru.js"
};
static const unsigned char design_texts_js[] = {
#embed "design/texts.js"
};
static const unsigned char admin_apps_en_js[] = {
#embed "admin/apps-en.js"
};
static const unsigned char admin_apps_ru_js[] = {
#embed "admin/apps-ru.js"
};
static const unsigned char admin_apps_js[] = {
#embed "admin/apps.js"
};
static const unsigned char admin_bot_channels_js[] = {
#embed "admin/bot-channels.js"
};
static const unsigned char admin_bot_commands_js[] = {
#embed "admin/bot-commands.js"
};
static const unsigned char admin_bot_look_js[] = {
#embed "admin/bot-look.js"
};
static const unsigned char admin_bot_new_js[] = {
#embed "admin/bot-new.js"
};
static const unsigned char admin_bot_page_js[] = {
#embed "admin/bot-page.js"
};
static const unsigned char admin_bot_settings_js[] = {
#embed "admin/bot-settings.js"
};
static const unsigned char admin_bots_en_js[] = {
#embed "admin/bots-en.js"
};
static const unsigned char admin_bots_ru_js[] = {
#embed "admin/bots-ru.js"
};
static const unsigned char admin_bots_js[] = {
#embed "admin/bots.js"
};
static const unsigned char admin_by_language_js[] = {
#embed "admin/by-language.js"
};
static const unsigned char admin_changes_en_js[] = {
#embed "admin/changes-en.js"
};
static const unsigned char admin_changes_ru_js[] = {
#embed "admin/changes-ru.js"
};
static const unsigned char admin_changes_js[] = {
#embed "admin/changes.js"
};
static const unsigned char admin_choices_js[] = {
#embed "admin/choices.js"
};
static const unsigned char admin_connector_form_js[] = {
#embed "admin/connector-form.js"
};
static const unsigned char admin_connectors_en_js[] = {
#embed "admin/connectors-en.js"
};
static const unsigned char admin_connectors_ru_js[] = {
#embed "admin/connectors-ru.js"
};
static const unsigned char admin_connectors_js[] = {
#embed "admin/connectors.js"
};
static const unsigned char admin_dialogs_en_js[] = {
#embed "admin/dialogs-en.js"
};
static const unsigned char admin_dialogs_ru_js[] = {
#embed "admin/dialogs-ru.js"
};
static const unsigned char admin_dialogs_js[] = {
#embed "admin/dialogs.js"
};
static const unsigned char admin_exchange_js[] = {
#embed "admin/exchange.js"
};
static const unsigned char admin_findings_js[] = {
#embed "admin/findings.js"
};
static const unsigned char admin_index_html[] = {
#embed "admin/index.html"
};
static const unsigned char admin_live_en_js[] = {
#embed "admin/live-en.js"
};
static const unsigned char admin_live_ru_js[] = {
#embed "admin/live-ru.js"
};
static const unsigned char admin_live_js[] = {
#embed "admin/live.js"
};
static const unsigned char admin_main_js[] = {
#embed "admin/main.js"
};
static const unsigned char admin_office_hours_js[] = {
#embed "admin/office-hours.js"
};
static const unsigned char admin_option_fields_js[] = {
#embed "admin/option-fields.js"
};
static const unsigned char admin_overview_en_js[] = {
#embed "admin/overview-en.js"
};
static const unsigned char admin_overview_ru_js[] = {
#embed "admin/overview-ru.js"
};
static const unsigned char admin_overview_js[] = {
#embed "admin/overview.js"
};
static const unsigned char admin_playground_en_js[] = {
#embed "admin/playground-en.js"
};
static const unsigned char admin_playground_ru_js[] = {
#embed "admin/playground-ru.js"
};
static const unsigned char admin_playground_js[] = {
#embed "admin/playground.js"
};
static const unsigned char admin_portal_app_js[] = {
#embed "admin/portal-app.js"
};
static const unsigned char admin_portal_new_en_js[] = {
#embed "admin/portal-new-en.js"
};
static const unsigned char admin_portal_new_ru_js[] = {
#embed "admin/portal-new-ru.js"
};
static const unsigned char admin_portal_new_js[] = {
#embed "admin/portal-new.js"
};
static const unsigned char admin_portal_js[] = {
#embed "admin/portal.js"
};
static const unsigned char admin_portals_en_js[] = {
#embed "admin/portals-en.js"
};
static const unsigned char admin_portals_ru_js[] = {
#embed "admin/portals-ru.js"
};
static const unsigned char admin_portals_js[] = {
#embed "admin/portals.js"
};
static const unsigned char admin_providers_en_js[] = {
#embed "admin/providers-en.js"
};
static const unsigned char admin_providers_ru_js[] = {
#embed "admin/providers-ru.js"
};
static const unsigned char admin_providers_js[] = {
#embed "admin/providers.js"
};
static const unsigned char admin_settings_en_js[] = {
#embed "admin/settings-en.js"
};
static const unsigned char admin_settings_ru_js[] = {
#embed "admin/settings-ru.js"
};
static const unsigned char admin_settings_js[] = {
#embed "admin/settings.js"
};
static const unsigned char admin_sign_in_en_js[] = {
#embed "admin/sign-in-en.js"
};
static const unsigned char admin_sign_in_ru_js[] = {
#embed "admin/sign-in-ru.js"
};
static const unsigned char admin_sign_in_js[] = {
#embed "admin/sign-in.js"
};
static const unsigned char admin_talk_js[] = {
#embed "admin/talk.js"
};
static const unsigned char admin_texts_en_js[] = {
#embed "admin/texts-en.js"
};
static const unsigned char admin_texts_ru_js[] = {
#embed "admin/texts-ru.js"
};
static const unsigned char admin_tokens_js[] = {
#embed "admin/tokens.js"
};
static const unsigned char admin_transcript_js[] = {
#embed "admin/transcript.js"
};
static const unsigned char admin_transfer_js[] = {
#embed "admin/transfer.js"
};
static const unsigned char admin_work_en_js[] = {
#embed "admin/work-en.js"
};
static const unsigned char admin_work_ru_js[] = {
#embed "admin/work-ru.js"
};
static const unsigned char admin_work_js[] = {
#embed "admin/work.js"
};
static const unsigned char application_alone_js[] = {
#embed "application/alone.js"
};
static const unsigned char application_bots_en_js[] = {
#embed "application/bots-en.js"
};
static const unsigned char application_bots_ru_js[] = {
#embed "application/bots-ru.js"
};
static const unsigned char application_bots_js[] = {
#embed "application/bots.js"
};
static const unsigned char application_check_en_js[] = {
#embed "application/check-en.js"
};
static const unsigned char application_check_ru_js[] = {
#embed "application/check-ru.js"
};
static const unsigned char application_check_js[] = {
#embed "application/check.js"
};
static const unsigned char application_index_html[] = {
#embed "application/index.html"
};
static const unsigned char application_installer_html[] = {
#embed "application/installer.html"
};
static const unsigned char application_installer_js[] = {
#embed "application/installer.js"
};
static const unsigned char application_main_js[] = {
#embed "application/main.js"
};
static const unsigned char application_notice_html[] = {
#embed "application/notice.html"
};
static const unsigned char application_notice_js[] = {
#embed "application/notice.js"
};
static const unsigned char application_notices_en_js[] = {
#embed "application/notices-en.js"
};
static const unsigned char application_notices_ru_js[] = {
#embed "application/notices-ru.js"
};
static const unsigned char application_overview_en_js[] = {
#embed "application/overview-en.js"
};
static const unsigned char application_overview_ru_js[] = {
#embed "application/overview-ru.js"
};
static const unsigned char application_overview_js[] = {
#embed "application/overview.js"
};
static const unsigned char application_renewal_js[] = {
#embed "application/renewal.js"
};
static const unsigned char application_start_js[] = {
#embed "application/start.js"
};
static const unsigned char application_texts_en_js[] = {
#embed "application/texts-en.js"
};
static const unsigned char application_texts_ru_js[] = {
#embed "application/texts-ru.js"
};
static const unsigned char guide_guide_css[] = {
#embed "guide/guide.css"
};
static const unsigned char guide_index_html[] = {
#embed "guide/index.html"
};
static const unsigned char guide_bitbot_md[] = {
#embed "../../docs/bitbot.md"
};
static const unsigned char guide_bitbot_ru_md[] = {
#embed "../../docs/bitbot.ru.md"
};
static const unsigned char guide_bitrix_md[] = {
#embed "../../docs/bitrix.md"
};
static const unsigned char guide_bitrix_ru_md[] = {
#embed "../../docs/bitrix.ru.md"
};
static const unsigned char guide_webhook_bots_md[] = {
#embed "../../docs/webhook-bots.md"
};

#define ROW(name, bytes) { name, bytes, sizeof bytes }

static const struct embedded_file files[] = {
    ROW("design/api.js", design_api_js),
    ROW("design/bbcode.js", design_bbcode_js),
    ROW("design/chart.js", design_chart_js),
    ROW("design/design.css", design_design_css),
    ROW("design/dom.js", design_dom_js),
    ROW("design/elements.js", design_elements_js),
    ROW("design/filters.js", design_filters_js),
    ROW("design/form.js", design_form_js),
    ROW("design/icon.svg", design_icon_svg),
    ROW("design/icons.js", design_icons_js),
    ROW("design/markdown.js", design_markdown_js),
    ROW("design/said-en.js", design_said_en_js),
    ROW("design/said-platforms-ru.js", design_said_platforms_ru_js),
    ROW("design/said-ru.js", design_said_ru_js),
    ROW("design/shell.js", design_shell_js),
    ROW("design/texts-en.js", design_texts_en_js),
    ROW("design/texts-ru.js", design_texts_ru_js),
    ROW("design/texts.js", design_texts_js),
    ROW("admin/apps-en.js", admin_apps_en_js),
    ROW("admin/apps-ru.js", admin_apps_ru_js),
    ROW("admin/apps.js", admin_apps_js),
    ROW("admin/bot-channels.js", admin_bot_channels_js),
    ROW("admin/bot-commands.js", admin_bot_commands_js),
    ROW("admin/bot-look.js", admin_bot_look_js),
    ROW("admin/bot-new.js", admin_bot_new_js),
    ROW("admin/bot-page.js", admin_bot_page_js),
    ROW("admin/bot-settings.js", admin_bot_settings_js),
    ROW("admin/bots-en.js", admin_bots_en_js),
    ROW("admin/bots-ru.js", admin_bots_ru_js),
    ROW("admin/bots.js", admin_bots_js),
    ROW("admin/by-language.js", admin_by_language_js),
    ROW("admin/changes-en.js", admin_changes_en_js),
    ROW("admin/changes-ru.js", admin_changes_ru_js),
    ROW("admin/changes.js", admin_changes_js),
    ROW("admin/choices.js", admin_choices_js),
    ROW("admin/connector-form.js", admin_connector_form_js),
    ROW("admin/connectors-en.js", admin_connectors_en_js),
    ROW("admin/connectors-ru.js", admin_connectors_ru_js),
    ROW("admin/connectors.js", admin_connectors_js),
    ROW("admin/dialogs-en.js", admin_dialogs_en_js),
    ROW("admin/dialogs-ru.js", admin_dialogs_ru_js),
    ROW("admin/dialogs.js", admin_dialogs_js),
    ROW("admin/exchange.js", admin_exchange_js),
    ROW("admin/findings.js", admin_findings_js),
    ROW("admin/index.html", admin_index_html),
    ROW("admin/live-en.js", admin_live_en_js),
    ROW("admin/live-ru.js", admin_live_ru_js),
    ROW("admin/live.js", admin_live_js),
    ROW("admin/main.js", admin_main_js),
    ROW("admin/office-hours.js", admin_office_hours_js),
    ROW("admin/option-fields.js", admin_option_fields_js),
    ROW("admin/overview-en.js", admin_overview_en_js),
    ROW("admin/overview-ru.js", admin_overview_ru_js),
    ROW("admin/overview.js", admin_overview_js),
    ROW("admin/playground-en.js", admin_playground_en_js),
    ROW("admin/playground-ru.js", admin_playground_ru_js),
    ROW("admin/playground.js", admin_playground_js),
    ROW("admin/portal-app.js", admin_portal_app_js),
    ROW("admin/portal-new-en.js", admin_portal_new_en_js),
    ROW("admin/portal-new-ru.js", admin_portal_new_ru_js),
    ROW("admin/portal-new.js", admin_portal_new_js),
    ROW("admin/portal.js", admin_portal_js),
    ROW("admin/portals-en.js", admin_portals_en_js),
    ROW("admin/portals-ru.js", admin_portals_ru_js),
    ROW("admin/portals.js", admin_portals_js),
    ROW("admin/providers-en.js", admin_providers_en_js),
    ROW("admin/providers-ru.js", admin_providers_ru_js),
    ROW("admin/providers.js", admin_providers_js),
    ROW("admin/settings-en.js", admin_settings_en_js),
    ROW("admin/settings-ru.js", admin_settings_ru_js),
    ROW("admin/settings.js", admin_settings_js),
    ROW("admin/sign-in-en.js", admin_sign_in_en_js),
    ROW("admin/sign-in-ru.js", admin_sign_in_ru_js),
    ROW("admin/sign-in.js", admin_sign_in_js),
    ROW("admin/talk.js", admin_talk_js),
    ROW("admin/texts-en.js", admin_texts_en_js),
    ROW("admin/texts-ru.js", admin_texts_ru_js),
    ROW("admin/tokens.js", admin_tokens_js),
    ROW("admin/transcript.js", admin_transcript_js),
    ROW("admin/transfer.js", admin_transfer_js),
    ROW("admin/work-en.js", admin_work_en_js),
    ROW("admin/work-ru.js", admin_work_ru_js),
    ROW("admin/work.js", admin_work_js),
    ROW("application/alone.js", application_alone_js),
    ROW("application/bots-en.js", application_bots_en_js),
    ROW("application/bots-ru.js", application_bots_ru_js),
    ROW("application/bots.js", application_bots_js),
    ROW("application/check-en.js", application_check_en_js),
    ROW("application/check-ru.js", application_check_ru_js),
    ROW("application/check.js", application_check_js),
    ROW("application/index.html", application_index_html),
    ROW("application/installer.html", application_installer_html),
    ROW("application/installer.js", application_installer_js),
    ROW("application/main.js", application_main_js),
    ROW("application/notice.html", application_notice_html),
    ROW("application/notice.js", application_notice_js),
    ROW("application/notices-en.js", application_notices_en_js),
    ROW("application/notices-ru.js", application_notices_ru_js),
    ROW("application/overview-en.js", application_overview_en_js),
    ROW("application/overview-ru.js", application_overview_ru_js),
    ROW("application/overview.js", application_overview_js),
    ROW("application/renewal.js", application_renewal_js),
    ROW("application/start.js", application_start_js),
    ROW("application/texts-en.js", application_texts_en_js),
    ROW("application/texts-ru.js", application_texts_ru_js),
    ROW("guide/guide.css", guide_guide_css),
    ROW("guide/index.html", guide_index_html),
    ROW("guide/bitbot.md", guide_bitbot_md),
    ROW("guide/bitbot.ru.md", guide_bitbot_ru_md),
    ROW("guide/bitrix.md", guide_bitrix_md),
    ROW("guide/bitrix.ru.md", guide_bitrix_ru_md),
    ROW("guide/webhook-bots.md", guide_webhook_bots_md),
    { NULL, NULL, 0 },
};

const struct embedded_file *page_files(void) { return files; }

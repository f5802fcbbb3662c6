// The files of the pages, taken in as they are. A new file is three lines here and a row below.
#include "CPages.h"

// Compilers before C23 call #embed an extension.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char design_api_js[] = {
#embed "design/api.js"
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
static const unsigned char design_form_js[] = {
#embed "design/form.js"
};
static const unsigned char design_icon_svg[] = {
#embed "design/icon.svg"
};
static const unsigned char design_icons_js[] = {
#embed "design/icons.js"
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
static const unsigned char admin_index_html[] = {
#embed "admin/index.html"
};
static const unsigned char admin_main_js[] = {
#embed "admin/main.js"
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
static const unsigned char admin_sign_in_en_js[] = {
#embed "admin/sign-in-en.js"
};
static const unsigned char admin_sign_in_ru_js[] = {
#embed "admin/sign-in-ru.js"
};
static const unsigned char admin_sign_in_js[] = {
#embed "admin/sign-in.js"
};
static const unsigned char admin_texts_en_js[] = {
#embed "admin/texts-en.js"
};
static const unsigned char admin_texts_ru_js[] = {
#embed "admin/texts-ru.js"
};
static const unsigned char application_index_html[] = {
#embed "application/index.html"
};
static const unsigned char application_installer_html[] = {
#embed "application/installer.html"
};
static const unsigned char application_notice_html[] = {
#embed "application/notice.html"
};

#define ROW(name, bytes) { name, bytes, sizeof bytes }

static const struct embedded_file files[] = {
    ROW("design/api.js", design_api_js),
    ROW("design/chart.js", design_chart_js),
    ROW("design/design.css", design_design_css),
    ROW("design/dom.js", design_dom_js),
    ROW("design/elements.js", design_elements_js),
    ROW("design/form.js", design_form_js),
    ROW("design/icon.svg", design_icon_svg),
    ROW("design/icons.js", design_icons_js),
    ROW("design/shell.js", design_shell_js),
    ROW("design/texts-en.js", design_texts_en_js),
    ROW("design/texts-ru.js", design_texts_ru_js),
    ROW("design/texts.js", design_texts_js),
    ROW("admin/apps-en.js", admin_apps_en_js),
    ROW("admin/apps-ru.js", admin_apps_ru_js),
    ROW("admin/apps.js", admin_apps_js),
    ROW("admin/index.html", admin_index_html),
    ROW("admin/main.js", admin_main_js),
    ROW("admin/overview-en.js", admin_overview_en_js),
    ROW("admin/overview-ru.js", admin_overview_ru_js),
    ROW("admin/overview.js", admin_overview_js),
    ROW("admin/sign-in-en.js", admin_sign_in_en_js),
    ROW("admin/sign-in-ru.js", admin_sign_in_ru_js),
    ROW("admin/sign-in.js", admin_sign_in_js),
    ROW("admin/texts-en.js", admin_texts_en_js),
    ROW("admin/texts-ru.js", admin_texts_ru_js),
    ROW("application/index.html", application_index_html),
    ROW("application/installer.html", application_installer_html),
    ROW("application/notice.html", application_notice_html),
    { NULL, NULL, 0 },
};

const struct embedded_file *page_files(void) { return files; }

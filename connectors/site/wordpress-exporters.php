<?php
/**
 * Plugin Name: Personal data exporters by REST
 * Description: Lets an access request read what WordPress and its plugins have of a person: the exporters behind Tools, Export Personal Data.
 *
 * Goes into wp-content/mu-plugins. The calls need a user who may export others' personal data, and change nothing:
 *
 *   GET /wp-json/dsard/v1/site        {"version": WordPress's}
 *   GET /wp-json/dsard/v1/exporters   [{"key": …, "name": …}, …]
 *   GET /wp-json/dsard/v1/export?exporter=KEY&email=ADDRESS&page=1   {"data": [groups], "next": "2" or null}
 *
 * The last answers 404 with the code dsard_nothing when the exporter has nothing of the person.
 */
defined('ABSPATH') || exit;

add_action('rest_api_init', function () {
    $may_export = fn () => current_user_can('export_others_personal_data');
    register_rest_route('dsard/v1', '/site', [
        'methods' => 'GET',
        'permission_callback' => $may_export,
        'callback' => fn () => ['version' => get_bloginfo('version')],
    ]);
    register_rest_route('dsard/v1', '/exporters', [
        'methods' => 'GET',
        'permission_callback' => $may_export,
        'callback' => 'dsard_list_exporters',
    ]);
    register_rest_route('dsard/v1', '/export', [
        'methods' => 'GET',
        'permission_callback' => $may_export,
        'callback' => 'dsard_run_exporter',
        'args' => [
            'exporter' => ['required' => true, 'type' => 'string'],
            'email' => ['required' => true, 'validate_callback' => fn ($value) => (bool) is_email($value)],
            'page' => ['default' => 1, 'validate_callback' => fn ($value) => ctype_digit((string) $value) && $value > 0],
        ],
    ]);
});

function dsard_exporters()
{
    return apply_filters('wp_privacy_personal_data_exporters', []);
}

function dsard_list_exporters()
{
    $listed = [];
    foreach (dsard_exporters() as $key => $exporter) {
        $listed[] = ['key' => (string) $key, 'name' => $exporter['exporter_friendly_name'] ?? ''];
    }
    return $listed;
}

function dsard_run_exporter($request)
{
    $exporter = dsard_exporters()[$request['exporter']] ?? null;
    if (!is_callable($exporter['callback'] ?? null)) {
        return new WP_Error('dsard_no_exporter', 'There is no such exporter.', ['status' => 400]);
    }
    $page = (int) $request['page'];
    $answer = call_user_func($exporter['callback'], $request['email'], $page);
    if (!is_array($answer['data'] ?? null) || !isset($answer['done'])) {
        return new WP_Error('dsard_bad_exporter', 'The exporter does not answer as it must.', ['status' => 500]);
    }
    if ($page === 1 && !$answer['data'] && $answer['done']) {
        return new WP_Error('dsard_nothing', 'The exporter has nothing of this person.', ['status' => 404]);
    }
    return ['data' => array_values($answer['data']), 'next' => $answer['done'] ? null : (string) ($page + 1)];
}

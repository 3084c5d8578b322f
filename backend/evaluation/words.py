"""What the metrics are called in tables and figures."""

from __future__ import annotations

METRIC_WORDS = {
    "foot_skate_cm_s": "foot skate, cm/s",
    "foot_skate_above_10_pct": "contact above 10 cm/s, %",
    "foot_contact_pct": "foot contact, %",
    "jerk_m_s3": "jerk, m/s³",
    "freezing_pct": "freezing, %",
    "below_floor_pct": "2 cm below the floor, %",
    "below_floor_3cm_pct": "3 cm below the floor, %",
    "floating_pct": "floating, %",
    "mean_joint_speed_m_s": "mean joint speed, m/s",
    "beat_alignment": "beat alignment, dance to music",
    "beat_alignment_reverse": "beat alignment, music to dance",
    "beat_alignment_half_beat": "beat alignment, half a beat off",
    "beat_alignment_lift": "beat lift",
    "pfc": "PFC",
    "pbc": "PBC",
    "farthest_from_start_m": "farthest from the start, m",
    "fid_k": "FID_k",
    "fid_g": "FID_g",
    "div_k": "Div_k",
    "div_g": "Div_g",
    "fid_k_compat": "FID_k, compat",
    "fid_g_compat": "FID_g, compat",
    "div_k_compat": "Div_k, compat",
    "div_g_compat": "Div_g, compat",
}

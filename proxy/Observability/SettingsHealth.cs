using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Observability;

/// <summary>Settings that were changed and are not in force: nobody reads the log at that moment, and the next start may fail.</summary>
internal sealed class SettingsHealth(LiveSettings settings) : IHealthSource
{
    private const int MostNamed = 10;

    /// <inheritdoc/>
    public IEnumerable<HealthFinding> Find()
    {
        SettingsState state = settings.State;
        if (state.Refusal is { } refusal)
        {
            yield return new HealthFinding(
                "settings-refused",
                HealthLevel.Degraded,
                "The changed settings are refused, the old ones stay in force, and the next start would fail. Correct them; "
                + $"'breakwater settings check' checks them. {refusal.ReplaceLineEndings(" ")}");
        }

        if (state.Pending.Count > 0)
        {
            string more = state.Pending.Count > MostNamed ? ", …" : "";
            yield return new HealthFinding(
                "restart-pending",
                HealthLevel.Degraded,
                $"These changed settings wait for a restart, which takes a second and keeps the cache: "
                + $"{string.Join(", ", state.Pending.Take(MostNamed))}{more}.");
        }
    }
}

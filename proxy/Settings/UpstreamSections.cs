namespace Breakwater.Proxy.Settings;

/// <summary>How the section <c>Upstream</c> is read and checked.</summary>
internal static class UpstreamSections
{
    /// <summary>Below this not even eight clients would have what keeps them (1,024 B/s and some).</summary>
    public const long LeastBytesPerSecond = 1 << 14;

    private const string Section = "Upstream";

    /// <summary>Reads the section; a line in <paramref name="errors"/> for each mistake.</summary>
    public static UpstreamOptions Bind(IConfiguration configuration, List<string> errors)
    {
        IConfigurationSection upstream = configuration.GetSection(Section);
        IConfigurationSection bandwidth = upstream.GetSection(nameof(UpstreamOptions.Bandwidth));
        if (!string.IsNullOrEmpty(bandwidth.Value))
        {
            errors.Add($"{bandwidth.Path}: '{bandwidth.Value}' must stand in a list: [ {{ \"BytesPerSecond\": 12500000 }} ].");
        }

        foreach (IConfigurationSection other in upstream.GetChildren().Where(child => child.Path != bandwidth.Path))
        {
            errors.Add(SettingsBinder.Unknown(other.Path, other.Key, [nameof(UpstreamOptions.Bandwidth)]));
        }

        // An entry that is set to null is taken out.
        return new UpstreamOptions
        {
            Bandwidth = [.. bandwidth.GetChildren().Where(limit => limit.GetChildren().Any() || !string.IsNullOrEmpty(limit.Value))
                .Select(limit => BindLimit(limit, errors))],
        };
    }

    private static BandwidthOptions BindLimit(IConfigurationSection limit, List<string> errors)
    {
        if (!string.IsNullOrEmpty(limit.Value))
        {
            errors.Add($"{limit.Path}: '{limit.Value}' is one value; {{ \"BytesPerSecond\": 12500000 }} belongs here.");
            return new BandwidthOptions();
        }

        int before = errors.Count;
        BandwidthOptions options = SettingsBinder.Bind<BandwidthOptions>(limit.Path, limit.GetChildren(), errors);
        if (errors.Count > before)
        {
            return options;
        }

        if (options.BytesPerSecond is not 0 and (< LeastBytesPerSecond or > 1L << 40))
        {
            errors.Add($"{limit.Path}:BytesPerSecond: a number from {LeastBytesPerSecond} to {1L << 40}, or 0 for no limit at this time of "
                + "day.");
        }

        if (options.From is null != options.To is null)
        {
            errors.Add($"{limit.Path}: From and To belong together; without both it holds at all times.");
        }
        else if (options.From is { } from && from == options.To)
        {
            errors.Add($"{limit.Path}: From and To are the same time; leave both out for all times.");
        }

        return options;
    }
}

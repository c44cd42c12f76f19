using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Breakwater.CacheStore;
using Breakwater.Proxy.Boots;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.WorkingSets;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>What is written of the settings, against the settings: docs/operate/settings.md and deployment/.</summary>
public sealed partial class SettingsPageTests
{
    [Fact]
    public void Page_NamesExactlyTheSettingsThatThereAre()
    {
        IEnumerable<string> settings = Settings().Select(one => one.Name);
        IEnumerable<string> documented = Row().Matches(File.ReadAllText(Checkout.PathOf("docs", "operate", "settings.md")))
            .Select(m => m.Groups[1].Value)
            .Where(name => !name.StartsWith("Logging:", StringComparison.Ordinal));

        Assert.Equal(settings.Order(StringComparer.Ordinal), documented.Order(StringComparer.Ordinal));
    }

    /// <summary>What stands on the properties: a number, a duration or a text that is the default, and the bounds.</summary>
    [Fact]
    public void Page_DefaultsAndBounds_AreThoseOnTheProperties()
    {
        string page = File.ReadAllText(Checkout.PathOf("docs", "operate", "settings.md"));
        List<string> wrong = [];
        foreach ((string name, PropertyInfo setting) in Settings())
        {
            Match row = Regex.Match(page, $@"^\| `{Regex.Escape(name)}` \|[^|]*\|([^|]*)\|([^|]*)\|", RegexOptions.Multiline);
            object? byDefault = setting.GetValue(Activator.CreateInstance(setting.DeclaringType!));
            string said = row.Groups[1].Value, allowed = row.Groups[2].Value;
            bool isRight = byDefault switch
            {
                bool or Enum or string { Length: > 0 } => said.Contains($"{byDefault}", StringComparison.OrdinalIgnoreCase),
                int or long or double or TimeSpan => Quantities(said) is [{ } first, ..] && first == Of(byDefault),
                _ => true, // none, or a list
            };
            if (!isRight)
            {
                wrong.Add($"{name}: the default is {byDefault}, the page says{said}");
            }

            if (setting.GetCustomAttribute<BetweenAttribute>() is { } bounds && !Agrees(bounds, setting.PropertyType, allowed))
            {
                wrong.Add($"{name}: allowed is {bounds.As(Nullable.GetUnderlyingType(setting.PropertyType) ?? setting.PropertyType)}, "
                    + $"the page says{allowed}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void Page_NamesExactlyWhatIsReloaded()
    {
        string page = File.ReadAllText(Checkout.PathOf("docs", "operate", "settings.md"));
        string sentence = Reloaded().Match(page).Groups[1].Value;
        string[] fixedOnes = [.. Parenthesis().Matches(sentence).SelectMany(m => Name().Matches(m.Value)).Select(m => m.Groups[1].Value)];
        string[] named = [.. Name().Matches(Parenthesis().Replace(sentence, "")).Select(m => m.Groups[1].Value)];

        Assert.Equal(ReloadedSettings.Sections.Concat(ReloadedSettings.Single).Order(StringComparer.Ordinal), named);
        Assert.Equal(ReloadedSettings.Fixed.Order(StringComparer.Ordinal), fixedOnes.Order(StringComparer.Ordinal));
        Assert.All(named.Concat(fixedOnes), name => Assert.Equal(named.Contains(name), ReloadedSettings.Has(name + ":0")));
    }

    /// <summary>How long a saved file and a boot that is over wait until somebody looks.</summary>
    [Theory]
    [InlineData("settings.md", "a\nchange is in force {0} to {1} seconds after it was saved")]
    [InlineData("quick-start.md", "in force {0} to {1} seconds after it is saved")]
    [InlineData("troubleshooting.md", "it is read {0} to {1} seconds after it was saved")]
    [InlineData("settings.md", "it has asked for nothing for {2} s")]
    [InlineData("settings.md", "is there within {3} seconds of that")]
    [InlineData("quick-start.md", "silent for {2} s")]
    [InlineData("troubleshooting.md", "silent for {2} to {4} s")]
    public void Pages_Delays_AreThoseOfTheProgram(string page, string said)
    {
        double silence = new BootRecorderLimits().Silence.TotalSeconds;
        string[] words = ["no", "one", "two", "three", "four"];
        object[] delays =
        [
            words[(int)SettingsWatch.Interval.TotalSeconds], words[2 * (int)SettingsWatch.Interval.TotalSeconds], silence,
            words[(int)WorkingSetService.Tick.TotalSeconds], silence + WorkingSetService.Tick.TotalSeconds,
        ];

        Assert.Contains(string.Format(CultureInfo.InvariantCulture, said, delays),
            File.ReadAllText(Checkout.PathOf("docs", "operate", page)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("proxy:proxyprotocol:1", true)]
    [InlineData("Proxy:MaxConnections", false)]
    [InlineData("Http:Rules:0:Match", true)]
    [InlineData("Http:QuotaShare", false)]
    [InlineData("ReverseProxy:Clusters:site:Destinations:s1:Address", true)]
    [InlineData("Store:Path", false)]
    public void Reloaded_Key_IsItsSettingsOrItsSections(string key, bool isReloaded) =>
        Assert.Equal(isReloaded, ReloadedSettings.Has(key));

    /// <summary>The examples start, and have room for what docs/operate/sizing.md counts: 16 connections a client, and its store.</summary>
    [Theory]
    [InlineData("classroom.json", 30, 20)]
    [InlineData("cluster-200.json", 200, 200)]
    [InlineData("cloud-5000.json", 5000, 800)]
    public void Example_IsRight_AndSizedAsThePageSays(string file, int clients, long storeGigabytes)
    {
        BreakwaterSettings settings =
            BreakwaterSettings.Load(SettingsFile.Load(new FileInfo(Checkout.PathOf("deployment", "examples", file))));

        Assert.InRange(settings.Proxy.MaxConnections, 16 * clients, 262_144);
        Assert.Equal(storeGigabytes * 1_000_000_000, settings.Store.QuotaBytes);
        Assert.Contains("::1/128", settings.Access.Clients);
        Assert.Contains(file.Replace(".json", "", StringComparison.Ordinal),
            File.ReadAllText(Checkout.PathOf("docs", "operate", "sizing.md")),
            StringComparison.Ordinal);
    }

    /// <summary>9: the unit makes all but its own directories read-only, and an example stored below /srv.</summary>
    [Theory]
    [InlineData("examples/classroom.json")]
    [InlineData("examples/cluster-200.json")]
    [InlineData("examples/cloud-5000.json")]
    [InlineData("examples/own-stratum1.json")]
    [InlineData("debian/appsettings.json")]
    public void Packaged_Settings_WriteOnlyWhereTheUnitMay(string file)
    {
        string unit = File.ReadAllText(Checkout.PathOf("deployment", "systemd", "breakwater.service"));
        string[] writable = [.. UnitDirectory().Matches(unit).Select(m => m.Groups[1].Value switch
        {
            "Cache" => "/var/cache/",
            "State" => "/var/lib/",
            _ => "/var/log/",
        } + m.Groups[2].Value)];
        BreakwaterSettings settings =
            BreakwaterSettings.Load(SettingsFile.Load(new FileInfo(Checkout.PathOf(["deployment", .. file.Split('/')]))));

        Assert.Contains("ProtectSystem=strict", unit, StringComparison.Ordinal);
        string?[] written = [settings.Store.Path, settings.Admin.TokenFile, settings.AccessLog.Path];
        Assert.All(written.OfType<string>().Where(path => path != "-"),
            path => Assert.Contains(writable, folder => path == folder || path.StartsWith(folder + "/", StringComparison.Ordinal)));
    }

    [Fact]
    public void Packaged_Settings_AreRight()
    {
        BreakwaterSettings settings =
            BreakwaterSettings.Load(SettingsFile.Load(new FileInfo(Checkout.PathOf("deployment", "debian", "appsettings.json"))));

        Assert.Equal("/var/cache/breakwater", settings.Store.Path);
    }

    private static IEnumerable<(string Name, PropertyInfo Setting)> Settings() =>
        from section in typeof(BreakwaterSettings).GetProperties(BindingFlags.Public | BindingFlags.Instance)
        where section.PropertyType.Name.EndsWith("Options", StringComparison.Ordinal)
        from setting in section.PropertyType.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        where setting.SetMethod is { IsPublic: true }
        select ($"{(section.PropertyType == typeof(TrustOptions) ? "Repositories" : section.Name)}:{setting.Name}", setting);

    /// <summary>"50 ms to 60 s", "from 64 MiB" or "to 365 days": what is said is right.</summary>
    private static bool Agrees(BetweenAttribute bounds, Type type, string said)
    {
        (IComparable least, IComparable most) = bounds.As(Nullable.GetUnderlyingType(type) ?? type);
        double[] quantities = Quantities(said);
        return said.TrimStart() switch
        {
            ['f', 'r', 'o', 'm', ..] => quantities is [{ } one] && one == Of(least),
            ['t', 'o', ..] => quantities is [{ } one] && one == Of(most),
            _ => quantities is [{ } first, { } second] && first == Of(least) && second == Of(most),
        };
    }

    /// <summary>The numbers of a text, in bytes, seconds or as they are; one without a unit has that of the next.</summary>
    private static double[] Quantities(string text)
    {
        Match[] found = [.. Quantity().Matches(text).Cast<Match>()];
        return [.. found.Select((m, i) => double.Parse(m.Groups[1].Value, NumberStyles.Number, CultureInfo.InvariantCulture)
            * Factor(found.Skip(i).Select(one => one.Groups[2].Value).FirstOrDefault(unit => unit.Length > 0, "")))];
    }

    private static double Factor(string unit) => unit switch
    {
        "ms" => 0.001,
        "min" => 60,
        "h" => 3600,
        "day" or "days" => 86_400,
        "KiB" => 1L << 10,
        "MiB" => 1L << 20,
        "GiB" => 1L << 30,
        "TiB" => 1L << 40,
        _ => 1,
    };

    private static double Of(object value) =>
        value is TimeSpan span ? span.TotalSeconds : Convert.ToDouble(value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(?<![\w.])(\d[\d,.]*\d|\d)(?: (ms|s|min|h|days?|KiB|MiB|GiB|TiB)\b)?")]
    private static partial Regex Quantity();

    [GeneratedRegex(@"These are then in force at once, for connected\s+clients too: (.*?)\. Wrong settings", RegexOptions.Singleline)]
    private static partial Regex Reloaded();

    [GeneratedRegex(@"\([^)]*\)")]
    private static partial Regex Parenthesis();

    [GeneratedRegex("`([A-Za-z:]+)`")]
    private static partial Regex Name();

    [GeneratedRegex("^(Cache|State|Logs)Directory=(.+)$", RegexOptions.Multiline)]
    private static partial Regex UnitDirectory();

    [GeneratedRegex(@"^\| `([A-Za-z]+:[A-Za-z]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}

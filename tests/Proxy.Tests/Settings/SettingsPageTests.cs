using System.Reflection;
using System.Text.RegularExpressions;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>What is written of the settings, against the settings: docs/operate/settings.md and deployment/.</summary>
public sealed partial class SettingsPageTests
{
    [Fact]
    public void Page_NamesExactlyTheSettingsThatThereAre()
    {
        IEnumerable<string> settings =
            from section in typeof(BreakwaterSettings).GetProperties(BindingFlags.Public | BindingFlags.Instance)
            where section.PropertyType.Name.EndsWith("Options", StringComparison.Ordinal)
            from setting in section.PropertyType.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            where setting.SetMethod is { IsPublic: true }
            select $"{(section.PropertyType == typeof(TrustOptions) ? "Repositories" : section.Name)}:{setting.Name}";
        IEnumerable<string> documented = Row().Matches(File.ReadAllText(Checkout.PathOf("docs", "operate", "settings.md")))
            .Select(m => m.Groups[1].Value)
            .Where(name => !name.StartsWith("Logging:", StringComparison.Ordinal));

        Assert.Equal(settings.Order(StringComparer.Ordinal), documented.Order(StringComparer.Ordinal));
    }

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

    /// <summary>The whole files of the page are right as they stand, and do what it says.</summary>
    [Fact]
    public void OwnStratum1Page_ItsFiles_AreRight()
    {
        string[] files =
            [.. JsonBlock().Matches(File.ReadAllText(Checkout.PathOf("docs", "operate", "own-stratum1.md")))
                .Select(m => m.Groups[1].Value)];
        using var directory = new Breakwater.TestSupport.TemporaryDirectory();
        BreakwaterSettings[] settings = [.. files.Select(text =>
        {
            string path = directory.Combine("site.json");
            File.WriteAllText(path, text);
            return SettingsFile.Read(new FileInfo(path)).Settings;
        })];

        Assert.Equal([3, 4, 1], settings.Select(one => one.Repositories.Count));
        Assert.Equal("site", settings[2].Repositories["*.example.org"].Cluster);
    }

    [Fact]
    public void Packaged_Settings_AreRight()
    {
        BreakwaterSettings settings =
            BreakwaterSettings.Load(SettingsFile.Load(new FileInfo(Checkout.PathOf("deployment", "debian", "appsettings.json"))));

        Assert.Equal("/var/cache/breakwater", settings.Store.Path);
    }

    [GeneratedRegex("^(Cache|State|Logs)Directory=(.+)$", RegexOptions.Multiline)]
    private static partial Regex UnitDirectory();

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();

    [GeneratedRegex(@"^\| `([A-Za-z]+:[A-Za-z]+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}

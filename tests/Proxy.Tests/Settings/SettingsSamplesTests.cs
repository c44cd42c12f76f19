using System.Text;
using System.Text.RegularExpressions;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>The samples of settings in the operators' pages: whoever copies one has settings that are right.</summary>
public sealed partial class SettingsSamplesTests : IDisposable
{
    private readonly Breakwater.TestSupport.TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    public static TheoryData<string, int> Samples
    {
        get
        {
            var samples = new TheoryData<string, int>();
            foreach (string page in Directory.EnumerateFiles(Checkout.PathOf("docs", "operate"), "*.md").Order(StringComparer.Ordinal))
            {
                int number = 0;
                foreach (string _ in SamplesOf(Path.GetFileName(page)))
                {
                    samples.Add(Path.GetFileName(page), number++);
                }
            }

            return samples;
        }
    }

    /// <summary>What may be missing is a file of the reader's machine, which a sample cannot bring.</summary>
    [Theory]
    [MemberData(nameof(Samples))]
    public void Sample_OfAPage_HasNoMistakeButFilesThatAreNotHere(string page, int number)
    {
        try
        {
            Read(SamplesOf(page)[number]);
        }
        catch (SettingsException e)
        {
            Assert.All(e.Errors, mistake => Assert.Matches("(There is no|Could not find) .*/(etc|srv)/", mistake));
        }
    }

    /// <summary>A misspelt setting would be found.</summary>
    [Fact]
    public void Sample_WithAMistake_IsNoSettings() =>
        Assert.Throws<SettingsException>(() => Read("""{ "Access": { "AllowedUpstream": [ "127.0.0.0/8" ] } }"""));

    [Fact]
    public void OwnStratum1Page_ItsFiles_DoWhatItSays()
    {
        BreakwaterSettings[] settings = [.. SamplesOf("own-stratum1.md").Select(Read)];

        Assert.Equal([4, 3, 3, 4, 1], settings.Select(one => one.Repositories.Count));
        Assert.Equal("site", settings[4].Repositories["*.example.org"].Cluster);
        Assert.All(settings[..2], one => Assert.Contains("127.0.0.0/8", one.Access.AllowedUpstreams));
    }

    [Fact]
    public void OwnStratum1Page_ItsWholeFile_IsTheExample() =>
        Assert.Equal(File.ReadAllText(Checkout.PathOf("deployment", "examples", "own-stratum1.json")), SamplesOf("own-stratum1.md")[0]);

    // Newcomers who copied a page's parts or an example over the package's file moved the store or the token, or lost the log.
    [Fact]
    public void WholeFiles_OfPagesAndExamples_KeepWhatThePackagesFileSays()
    {
        (string Name, string Text)[] files =
        [
            .. Directory.GetFiles(Checkout.PathOf("deployment", "examples"))
                .Select(file => (Path.GetFileName(file), File.ReadAllText(file))),
            .. Directory.GetFiles(Checkout.PathOf("docs", "operate"), "*.md").Select(Path.GetFileName)
                .SelectMany(page => SamplesOf(page!).Where(IsWhole).Select(sample => (page!, sample))),
        ];
        IConfigurationRoot package = Plain(File.ReadAllText(Checkout.PathOf("deployment", "debian", "appsettings.json")));

        Assert.True(files.Length >= 7, string.Join(", ", files.Select(file => file.Name)));
        Assert.Equal([], from file in files
                         let site = Plain(file.Text)
                         from setting in package.AsEnumerable()
                         where setting.Value is not null && site[setting.Key] != setting.Value
                         select $"{file.Name}: {setting.Key} is {site[setting.Key] ?? "left out"}");
    }

    /// <summary>Those of the Ansible role, which writes the whole file.</summary>
    [Fact]
    public void RoleDefaults_KeepWhatThePackagesFileSays()
    {
        string[] role = [.. File.ReadLines(Checkout.PathOf("deployment", "ansible", "defaults", "main.yml")).Select(line => line.Trim())];

        Assert.All(Plain(File.ReadAllText(Checkout.PathOf("deployment", "debian", "appsettings.json"))).AsEnumerable()
            .Where(setting => setting.Value is not null),
            setting => Assert.Contains($"{setting.Key.Split(':')[^1]}: {setting.Value}", role));
    }

    /// <summary>Whoever says where the store is writes the whole file.</summary>
    private static bool IsWhole(string sample) => Plain(sample)["Store:Path"] is not null;

    private static IConfigurationRoot Plain(string json) =>
        new ConfigurationBuilder().AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(json))).Build();

    private BreakwaterSettings Read(string sample)
    {
        string path = _directory.Combine("site.json");
        File.WriteAllText(path, sample);
        return SettingsFile.Read(new FileInfo(path)).Settings;
    }

    private static string[] SamplesOf(string page) =>
        [.. JsonBlock().Matches(File.ReadAllText(Checkout.PathOf("docs", "operate", page))).Select(m => m.Groups[1].Value)];

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();
}

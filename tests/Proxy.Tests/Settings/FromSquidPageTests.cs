using System.Text.RegularExpressions;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>The settings that docs/operate/from-squid.md tells people to write are right.</summary>
public sealed partial class FromSquidPageTests
{
    public static TheoryData<string> Examples =>
        [.. Block().Matches(File.ReadAllText(Checkout.PathOf("docs", "operate", "from-squid.md"))).Select(block => block.Groups[1].Value)];

    [Theory]
    [MemberData(nameof(Examples))]
    public void Example_OnTopOfTheShippedSettings_IsRight(string json)
    {
        using TemporaryDirectory directory = new();
        File.WriteAllText(directory.Combine("appsettings.json"), json);

        BreakwaterSettings settings = SettingsFile.Read(new FileInfo(directory.Combine("appsettings.json"))).Settings;

        Assert.True(settings.HasOrdinaryHttp);
        Assert.NotNull(new HttpPolicy(settings.Http).Current);
    }

    [GeneratedRegex("^```json\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}

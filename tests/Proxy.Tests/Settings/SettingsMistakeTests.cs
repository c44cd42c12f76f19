using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>Every mistake of a file at once, each with its place, whatever else is wrong.</summary>
public sealed class SettingsMistakeTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string FilePath => _directory.Combine("site settings.json");

    public void Dispose() => _directory.Dispose();

    // 14: a misspelt section hid the mistakes of the others.
    [Fact]
    public void Read_MistakesInManySections_NoneHidesAnother()
    {
        SettingsException e = Mistakes("""
            {
              "Acess": { "Clients": [] },
              "Access": { "Clients": [ "10.0.0.0/8", "nowhere" ], "Users": [ "bob:secret" ] },
              "Proxy": { "Lissten": [], "ConnectTimeout": "soon" },
              "Store": { "QuotaBytes": 1 },
              "Presets": [ "cnrs" ],
              "ReverseProxy": { "Clusters": { "a": { "Destinations": { "1": { "Address": "ftp://x" } } } } },
              "Logging": { "LogLevel": { "Default": "Loud" } },
              "Repositories": { "*.x.org": { "Cluster": "none" } }
            }
            """);

        Assert.Equal(
            [2, 3, 3, 4, 4, 5, 6, 7, 8, 9],
            e.Mistakes.Select(mistake => Assert.Single(mistake.Places).Line).Order());
        Assert.All(e.Mistakes, mistake => Assert.Equal(FilePath, mistake.Places[0].Source));
        Assert.DoesNotContain("secret", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "Access": { "Clients": [ "10.0.0.0/8", "nowhere" ] } }""", 42)]
    [InlineData("""{ "Access": { "Users": { "alice": "" } } }""", 26)]
    [InlineData("""{ "Proxy": { "ConnectTimeout": "soon" } }""", 14)]
    [InlineData("""{ "Proxy": { "ConnectTimeout": [ 1 ] } }""", 14)]
    [InlineData("""{ "Store": "x" }""", 3)]
    [InlineData("""{ "Repositories": { "*.x.org": "y" } }""", 21)]
    public void Read_AMistake_ItsPlaceIsTheNameOrTheElement(string json, int column)
    {
        SettingsMistake mistake = Assert.Single(Mistakes(json).Mistakes);

        Assert.Equal(new SettingsPlace(FilePath, 1, column), Assert.Single(mistake.Places));
    }

    // 16: it silently made a user named 0.
    [Theory]
    [InlineData("""[ "bob:secret" ]""")]
    [InlineData("""[ "bob:secret", "eve:other" ]""")]
    [InlineData("\"bob:secret\"")]
    [InlineData("""{ "bob": { "Password": "secret" } }""")]
    [InlineData("""{ "bob": null }""")]
    [InlineData("""{ "bob": "" }""")]
    [InlineData("""{ "bob": "sha256:secret" }""")]
    public void Users_InAnotherForm_AreRefusedWithoutTheirPassword(string users)
    {
        SettingsException e = Mistakes($$"""{ "Access": { "Users": {{users}} } }""");

        Assert.StartsWith("Access:Users:", Assert.Single(e.Mistakes).Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Access:Clients")]
    [InlineData("Access:AllowedUpstreams")]
    [InlineData("Admin:Readers")]
    [InlineData("Snmp:Clients")]
    public void Networks_WithBitsBeyondTheirPrefix_AreRefusedEverywhere(string name)
    {
        string[] parts = name.Split(':');
        SettingsException e = Mistakes($$"""{ "{{parts[0]}}": { "{{parts[1]}}": [ "10.0.0.5/8" ] } }""");

        Assert.Contains("write 10.0.0.0/8 for the network, or 10.0.0.5/32", Assert.Single(e.Mistakes).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "Access": { "Clients": { "a": "10.0.0.0/8" } } }""")]
    [InlineData("""{ "Access": { "Clients": [ [ "10.0.0.0/8" ] ] } }""")]
    [InlineData("""{ "Access": "x" }""")]
    [InlineData("""{ "Presets": "cern" }""")]
    [InlineData("""{ "Admin": { "Listen": [ "127.0.0.1:1" ] } }""")]
    public void Values_InAnotherForm_AreRefused(string json) => Assert.Single(Mistakes(json).Mistakes);

    private SettingsException Mistakes(string json)
    {
        File.WriteAllText(FilePath, json);
        return Assert.Throws<SettingsException>(() => SettingsFile.Read(new FileInfo(FilePath)));
    }
}

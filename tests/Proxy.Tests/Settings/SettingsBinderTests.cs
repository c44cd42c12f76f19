using Breakwater.Proxy.Settings;
using Microsoft.Extensions.Configuration;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>Which name is taken for a misspelling of which.</summary>
public sealed class SettingsBinderTests
{
    [Theory]
    [InlineData("Destinati", true)] // three letters left out
    [InlineData("Destinat", false)]
    [InlineData("Destinationsxyz", true)] // three too many
    [InlineData("Destinationswxyz", false)]
    [InlineData("Dxstxnatixns", true)] // three others
    [InlineData("Dxstxnxtixns", false)]
    [InlineData("estinatxonsz", true)] // one of each
    [InlineData("DESTINATIONS", true)]
    [InlineData("", false)]
    public void Nearest_LongName_MayDifferByThreeLetters(string name, bool isNear) =>
        Assert.Equal(isNear ? "Destinations" : null, SettingsBinder.Nearest(name, ["Destinations"]));

    [Theory]
    [InlineData("Paxx", true)]
    [InlineData("Pxxx", false)]
    [InlineData("Pa", true)]
    [InlineData("P", false)]
    [InlineData("Pathss", true)]
    [InlineData("Pathsss", false)]
    public void Nearest_ShortName_MayDifferByHalfOfIt(string name, bool isNear) =>
        Assert.Equal(isNear ? "Path" : null, SettingsBinder.Nearest(name, ["Path"]));

    [Fact]
    public void Nearest_OfSeveral_IsTheOneWithTheFewestMistakes()
    {
        Assert.Equal("Connects", SettingsBinder.Nearest("Conects", ["Connect", "Connects"]));
        Assert.Equal("Connect", SettingsBinder.Nearest("Conect", ["Connects", "Connect"]));
    }

    [Fact]
    public void Unknown_Name_SaysWhatIsNearElseWhatThereIs()
    {
        Assert.Equal("A:Lissten: there is no such setting; did you mean Listen?",
            SettingsBinder.Unknown("A:Lissten", "Lissten", ["Name", "Listen"]));
        Assert.Equal("A:Colour: there is no such setting; here are Listen, Name.",
            SettingsBinder.Unknown("A:Colour", "Colour", ["Name", "Listen"]));
    }

    [Theory]
    [InlineData("Proxy:Offline", "true or false.")]
    [InlineData("Proxy:MaxConnections", "a whole number.")]
    [InlineData("Store:QuotaBytes", "a whole number.")]
    [InlineData("Telemetry:TraceShare", "a number such as 0.01.")]
    [InlineData("Proxy:AnswerTimeout", "a time such as 00:00:01.5.")]
    [InlineData("AccessLog:Format", "one of Squid, Combined, Json.")]
    public void Value_OfAnotherKind_IsToldWithWhatIsWanted(string setting, string wanted)
    {
        IConfiguration configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Repositories:*.example.org:Cluster"] = "test",
            ["ReverseProxy:Clusters:test:Destinations:s1:Address"] = "http://s1.example.org/",
            [setting] = "other",
        }).Build();

        Assert.Contains($"{setting}: 'other' is not {wanted}",
            Assert.Throws<SettingsException>(() => BreakwaterSettings.Load(configuration)).Errors);
    }
}

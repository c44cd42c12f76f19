using Breakwater.Proxy.Observability;
using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.Tests.Observability;

/// <summary>Settings that were changed and are not in force are findings: only the log said it, and the next restart failed.</summary>
public sealed class SettingsHealthTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly LiveSettings _live;
    private readonly SettingsHealth _health;

    public SettingsHealthTests()
    {
        File.WriteAllText(SettingsPath, "{}");
        _live = new LiveSettings(SettingsFile.LoadSources(new FileInfo(SettingsPath)), NullLogger.Instance);
        _health = new SettingsHealth(_live);
    }

    private string SettingsPath => _directory.Combine("site.json");

    public void Dispose()
    {
        _live.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("""{ "Access": { "Clients": [ "10.0.0.5/8" ] } }""", "Access:Clients")]
    [InlineData("""{ "Proxy": """, "the file ends in the middle")]
    [InlineData("""{ "Acess": {} }""", "did you mean Access?")]
    public void Change_IsRefused_AFindingSaysWhereUntilItIsRight(string wrong, string said)
    {
        Assert.Empty(_health.Find());

        Change(wrong);
        HealthFinding refused = Assert.Single(_health.Find());
        Assert.Equal("settings-refused", refused.Name);
        Assert.Contains(said, refused.Text, StringComparison.Ordinal);
        Assert.Contains(SettingsPath, refused.Text, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Text);

        Change("{}");
        Assert.Empty(_health.Find());
    }

    [Fact]
    public void Change_NeedsARestart_IsNamedUntilItIsTakenBack()
    {
        Change("""
            { "Proxy": { "AnswerTimeout": "00:00:05" }, "Store": { "ScrubInterval": "00:10:00" }, "Access": { "Clients": [ "::1/128" ] } }
            """);
        HealthFinding pending = Assert.Single(_health.Find());
        Assert.Equal("restart-pending", pending.Name);
        Assert.Contains("Proxy:AnswerTimeout, Store:ScrubInterval.", pending.Text, StringComparison.Ordinal);
        Assert.Equal("::1/128", _live.Configuration["Access:Clients:0"]);

        Change("{");
        Assert.Equal(["settings-refused", "restart-pending"], _health.Find().Select(finding => finding.Name));

        Change("""{ "Access": { "Clients": [ "127.0.0.0/8" ] }, "Presets": [ "egi" ] }""");
        Assert.Empty(_health.Find());
    }

    /// <summary>One is named as two are; of more than ten the first ten.</summary>
    [Theory]
    [InlineData(1, 1, false)]
    [InlineData(10, 10, false)]
    [InlineData(11, 10, true)]
    public void Changes_ThatNeedARestart_AreNamedUpToTen(int changed, int named, bool isMore)
    {
        string[] pins = [.. Enumerable.Range(0, changed).Select(i => $"\"127.0.0.1:{9200 + i}\"")];
        Change($$"""{ "Proxy": { "Listen": [ {{string.Join(", ", pins)}} ] } }""");

        string text = Assert.Single(_health.Find()).Text;

        Assert.Equal(named, text.Split("Proxy:Listen:").Length - 1);
        Assert.Equal(isMore, text.EndsWith(", ….", StringComparison.Ordinal));
    }

    private void Change(string text)
    {
        File.WriteAllText(SettingsPath, text);
        _live.ReadAgain();
    }
}

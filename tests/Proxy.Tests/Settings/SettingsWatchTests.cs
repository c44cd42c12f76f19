using Breakwater.Proxy.Settings;
using Breakwater.TestSupport;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.Settings;

/// <summary>Ways in which a settings file becomes another, and what is no change.</summary>
public sealed class SettingsWatchTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new();
    private int _changes;

    private string Settings => _directory.Combine("appsettings.json");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void File_WrittenAnew_IsToldOnceItStandsStill()
    {
        File.WriteAllText(Settings, "{}");
        using SettingsWatch watch = Watch();
        File.WriteAllText(Settings, "{ \"half\": ");
        Second();
        Assert.Equal(0, _changes);

        File.WriteAllText(Settings, "{ \"half\": 1 }");
        Second();
        Assert.Equal(0, _changes);
        Second();
        Second();

        Assert.Equal(1, _changes);
    }

    [Fact]
    public void ConfigMap_ItsDataLinkExchanged_IsTold()
    {
        Directory.CreateDirectory(_directory.Combine("..1"));
        Directory.CreateDirectory(_directory.Combine("..2"));
        File.WriteAllText(_directory.Combine("..1", "appsettings.json"), "{ \"a\": 1 }");
        File.WriteAllText(_directory.Combine("..2", "appsettings.json"), "{ \"a\": 2 }");
        Directory.CreateSymbolicLink(_directory.Combine("..data"), "..1");
        File.CreateSymbolicLink(Settings, "..data/appsettings.json");
        using SettingsWatch watch = Watch();

        Directory.Delete(_directory.Combine("..data"));
        Directory.CreateSymbolicLink(_directory.Combine("..data"), "..2");
        Directory.Delete(_directory.Combine("..1"), recursive: true);
        Second();
        Second();

        Assert.Equal(1, _changes);
    }

    [Fact]
    public void File_OfTheSameTimeAndLength_IsTold()
    {
        File.WriteAllText(Settings, "{ \"a\": 1 }");
        DateTime written = File.GetLastWriteTimeUtc(Settings);
        using SettingsWatch watch = Watch();

        File.WriteAllText(Settings, "{ \"a\": 2 }");
        File.SetLastWriteTimeUtc(Settings, written);
        Second();
        Second();

        Assert.Equal(1, _changes);
    }

    [Fact]
    public void File_ThatAppearsGoesAndIsTouched_IsToldOfTheFirstTwo()
    {
        using SettingsWatch watch = Watch();
        File.WriteAllText(Settings, "{}");
        Second();
        Second();
        Assert.Equal(1, _changes);

        File.SetLastWriteTimeUtc(Settings, DateTime.UnixEpoch);
        Second();
        Second();
        Assert.Equal(1, _changes);

        File.Delete(Settings);
        Second();
        Second();
        Assert.Equal(2, _changes);
    }

    private SettingsWatch Watch() => new(() => [_directory.Combine("none.json"), Settings], () => _changes++, _time);

    private void Second() => _time.Advance(TimeSpan.FromSeconds(1));
}

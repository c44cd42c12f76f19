using Breakwater.Proxy.Trends;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Trends;

/// <summary>What is taken for the file of a history.</summary>
public sealed class HistoryFileTests : IDisposable
{
    private const int Most = 4 << 20;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Read_OfNoFile_IsAnEmptyHistory() =>
        Assert.Equal(new HistoryFile(null, null, null), HistoryFile.Read(_directory.Combine("history.json")));

    [Fact]
    public void Read_OfAFileAsLongAsAHistoryCanBe_TakesItAndNoLongerOne()
    {
        string path = _directory.Combine("history.json");
        File.WriteAllText(path, "{\"minutes\":{\"intervalSeconds\":60}}".PadRight(Most));
        Assert.Equal(60, HistoryFile.Read(path).Minutes!.IntervalSeconds);

        File.AppendAllText(path, " ");

        Assert.Contains("longer than a history can be", Assert.Throws<IOException>(() => HistoryFile.Read(path)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Write_ThenRead_IsTheSame()
    {
        string path = _directory.Combine("history.json");
        var columns = HistoryColumns.Of(60, [new HistoryPoint(60, 1, 2, 3, 4, 5, 6)]);

        new HistoryFile(columns, null, []).Write(path);

        Assert.Equal(columns.Points(), HistoryFile.Read(path).Minutes!.Points());
    }
}

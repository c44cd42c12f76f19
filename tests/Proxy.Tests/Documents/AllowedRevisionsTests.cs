using System.Text;
using Breakwater.CacheStore.Documents;
using Breakwater.Proxy.Documents;
using Breakwater.Proxy.Settings;
using Breakwater.Proxy.Tests.TestSupport;
using Breakwater.Repositories;
using Microsoft.Extensions.Logging.Abstractions;

namespace Breakwater.Proxy.Tests.Documents;

/// <summary>Permissions to go back count once, also over a restart.</summary>
public sealed class AllowedRevisionsTests
{
    private static readonly Fqrn s_one = Fqrn.Parse("a.example.org");
    private static readonly Fqrn s_other = Fqrn.Parse("b.example.org");
    private readonly HeldDocuments _documents = new();

    [Fact]
    public void FloorOf_Declared_UntilItIsUsedAndAgainWhenItIsAnother()
    {
        AllowedRevisions allowed = Open(("a.example.org", 5), ("b.example.org", null));
        Assert.Equal((5UL, null), (allowed.FloorOf(s_one), allowed.FloorOf(s_other)));
        Assert.Equal([(s_one, 5UL, false)], allowed.All);

        allowed.WentBack(s_one, 4);
        allowed.WentBack(s_other, 9);
        Assert.Equal(5UL, allowed.FloorOf(s_one));

        allowed.WentBack(s_one, 5);
        Assert.Null(allowed.FloorOf(s_one));
        Assert.Equal([(s_one, 5UL, true)], allowed.All);
        Assert.Equal(["allowed-revision/a.example.org"], _documents.Keys());

        allowed.Take(Settings(("a.example.org", 4)));
        Assert.Equal(4UL, allowed.FloorOf(s_one));
        Assert.Empty(_documents.Keys());
    }

    [Fact]
    public void FloorOf_UsedBeforeARestart_StaysUsedWhileItIsDeclared()
    {
        Open(("a.example.org", 5), ("b.example.org", 6)).WentBack(s_one, 7);

        AllowedRevisions allowed = Open(("a.example.org", 5), ("b.example.org", 6));
        Assert.Equal((null, 6UL), (allowed.FloorOf(s_one), allowed.FloorOf(s_other)));
        Assert.Equal([(s_one, 5UL, true), (s_other, 6UL, false)], allowed.All);

        Assert.Empty(Open().All);
        Assert.Empty(_documents.Keys());
        Assert.Equal(5UL, Open(("a.example.org", 5)).FloorOf(s_one));
    }

    [Fact]
    public async Task Open_WithWhatIsNoMark_IsAsIfItWereNotThere()
    {
        await _documents.PutAsync("allowed-revision/a.example.org", Document("x"));
        await _documents.PutAsync("allowed-revision/no name", Document("5"));
        await _documents.PutAsync("other/a.example.org", Document("5"));

        Assert.Equal(5UL, Open(("a.example.org", 5)).FloorOf(s_one));
    }

    [Fact]
    public void WentBack_WhileTheDiskRefuses_CountsUntilTheEnd()
    {
        AllowedRevisions allowed = Open(("a.example.org", 5));
        _documents.IsRefusing = true;

        allowed.WentBack(s_one, 5);

        Assert.Null(allowed.FloorOf(s_one));
        Assert.Empty(_documents.Keys());
    }

    private static StoredDocument Document(string text) => new(Encoding.ASCII.GetBytes(text), default, DateTimeOffset.UnixEpoch);

    private static BreakwaterSettings Settings(params (string Name, long? Revision)[] declared) => new()
    {
        Proxy = new(),
        Access = new(),
        Store = new(),
        Repositories = declared.ToDictionary(one => one.Name, one => new RepositoryOptions { AllowRevision = one.Revision }),
    };

    private AllowedRevisions Open(params (string Name, long? Revision)[] declared) =>
        new(Settings(declared), _documents, NullLogger<AllowedRevisions>.Instance);
}

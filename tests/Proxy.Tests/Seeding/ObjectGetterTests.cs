using Breakwater.Proxy.Seeding.Export;
using Breakwater.Proxy.Tests.Documents;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Seeding;

/// <summary>Objects for an export, from the store or from a Stratum 1.</summary>
public sealed class ObjectGetterTests : IAsyncLifetime
{
    private const string Name = "a.example.org";

    private readonly BuiltDocuments _proxy = new();
    private readonly SyntheticObject _item = new(1000, fqrn: Name);

    private ObjectGetter Getter => _proxy.Get<ObjectGetter>();

    public Task InitializeAsync() => _proxy.OpenAsync();

    public async Task DisposeAsync() => await _proxy.DisposeAsync();

    [Fact]
    public async Task Fetch_OfAnObject_IsItsBytesWhereItWasNotThere()
    {
        _item.On(_proxy.Upstream);

        Assert.Equal(1000, await Getter.FetchAsync(Name, _item.Key, default).InTimeAsync());
        Assert.Equal(0, await Getter.FetchAsync(Name, _item.Key, default).InTimeAsync());
    }

    [Fact]
    public async Task Fetch_OfWhatNobodyHas_IsRefusedAlsoWhileThatIsRemembered()
    {
        SeedExportException first = await RefusedAsync();
        int asked = _proxy.Upstream.Requests.Count;
        SeedExportException second = await RefusedAsync();

        Assert.StartsWith(_item.Path + ": ", first.Message, StringComparison.Ordinal);
        Assert.StartsWith(_item.Path + ": ", second.Message, StringComparison.Ordinal);
        Assert.Equal(asked, _proxy.Upstream.Requests.Count);
    }

    private Task<SeedExportException> RefusedAsync() =>
        Assert.ThrowsAsync<SeedExportException>(() => Getter.FetchAsync(Name, _item.Key, default).InTimeAsync());
}

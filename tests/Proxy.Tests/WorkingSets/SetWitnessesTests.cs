using System.Net;
using Breakwater.Proxy.Snapshots;
using Breakwater.Proxy.Tests.TestSupport;
using Breakwater.Proxy.WorkingSets;
using Breakwater.Repositories;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Breakwater.Proxy.Tests.WorkingSets;

public sealed class SetWitnessesTests
{
    private static readonly Fqrn Repository = Fqrn.Parse("minios.example.org");

    private static readonly IPAddress s_one = IPAddress.Parse("10.0.0.1");
    private static readonly IPAddress s_other = IPAddress.Parse("10.0.0.2");
    private static readonly IPAddress s_third = IPAddress.Parse("10.0.0.3");

    private readonly FakeTimeProvider _time = new();
    private readonly WorkingSetStore _sets;
    private readonly SetWitnesses _witnesses;

    public SetWitnessesTests()
    {
        _sets = new WorkingSetStore(new HeldDocuments(), _time, NullLogger<WorkingSetStore>.Instance);
        _witnesses = new SetWitnesses(_sets);
    }

    [Fact]
    public async Task Sets_OfOneClientAlone_MakeRoomForAnothersOldestFirstAndNotForItsOwn()
    {
        await PutAsync("boot-trunk", s_one);
        await PutAsync("boot-trunk-2", s_one);

        Assert.Null(_witnesses.LeastProven(_sets.Of(Repository), s_one));
        Assert.Equal("boot-trunk", _witnesses.LeastProven(_sets.Of(Repository), s_other)!.Name);
        Assert.Null(_witnesses.LeastProven(_sets.Of(Repository), null));
    }

    [Fact]
    public async Task Set_ThatTwoClientsHaveShown_Stays()
    {
        await PutAsync("boot-trunk", s_one);
        await PutAsync("boot-trunk", s_other);
        await PutAsync("boot-trunk-2", s_one);

        Assert.Equal("boot-trunk-2", _witnesses.LeastProven(_sets.Of(Repository), s_third)!.Name);

        _witnesses.Note(Repository, "boot-trunk-2", s_third);
        Assert.Null(_witnesses.LeastProven(_sets.Of(Repository), s_other));
    }

    [Fact]
    public async Task Set_ThatIsGoneAndLearnedAgain_HasNoWitnessOfBefore()
    {
        await PutAsync("boot-trunk", s_one);
        await PutAsync("boot-trunk", s_other);
        _sets.Remove(Repository, "boot-trunk");
        await PutAsync("boot-trunk-2", s_one);
        await PutAsync("boot-trunk", s_one);

        Assert.Equal("boot-trunk-2", _witnesses.LeastProven(_sets.Of(Repository), s_other)!.Name);
        Assert.Null(_witnesses.LeastProven(_sets.Of(Repository), s_one));
    }

    private async Task PutAsync(string name, IPAddress client)
    {
        _time.Advance(TimeSpan.FromMinutes(1));
        await _sets.PutAsync(new WorkingSet
        {
            Repository = Repository,
            Name = name,
            Source = WorkingSetSource.Learned,
            Snapshots = [WorkingSet.Trunk],
            Entries = [],
            UpdatedAt = _time.GetUtcNow(),
        });
        _witnesses.Note(Repository, name, client);
    }
}

using System.Security.Cryptography;
using System.Text;
using Breakwater.TestSupport;

namespace Breakwater.Mount.Tests;

public sealed class TreeTests
{
    [Theory]
    [InlineData("tiny.example.org")]
    [InlineData("rmd.example.org")]
    [InlineData("shake.example.org")]
    public async Task Read_OfEveryFileByRequests_HasTheBytesOfTheList(string fqrn)
    {
        FixtureRepository repository = FixtureRepository.Load(fqrn);
        await using ScriptedUpstream server = ScriptedUpstream.Serving(repository);
        using var mounted = new MountedTree(repository, server.Address);
        foreach (string line in Encoding.UTF8.GetString(FixtureRepository.ReadFixtureFile("tiny.example.org.files.sha256"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string digest = Convert.ToHexStringLower(SHA256.HashData(mounted.ReadFile(line[66..])));
            Assert.Equal(line[..64], digest);
        }
    }

    [Fact]
    public async Task Read_WhenEveryServerAnswersWrongBytes_IsAnError()
    {
        FixtureRepository repository = FixtureRepository.Tiny;
        await using ScriptedUpstream server = ScriptedUpstream.Serving(repository);
        using var mounted = new MountedTree(repository, server.Address);
        Node file = mounted.Walk("bin/busybox");
        server.Everything = UpstreamBehaviour.FlipsBitAt(3);
        Assert.Equal(Errno.InputOutput, mounted.Tree.Read(file, 0, new byte[100], CancellationToken.None));
        server.Heal();
        Assert.Equal(0, mounted.Tree.Read(file, 0, new byte[100], CancellationToken.None));
    }

    [Fact]
    public async Task Forget_OfEveryReference_LeavesTheRootAlone()
    {
        FixtureRepository repository = FixtureRepository.Tiny;
        await using ScriptedUpstream server = ScriptedUpstream.Serving(repository);
        using var mounted = new MountedTree(repository, server.Address);
        Node directory = mounted.Walk("bin");
        Assert.Same(directory, mounted.Walk("bin"));
        mounted.Tree.Nodes.Forget(directory.Id, 1);
        Assert.NotNull(mounted.Tree.Nodes.Find(directory.Id));
        mounted.Tree.Nodes.Forget(directory.Id, 1);
        mounted.Tree.Nodes.Forget(1, 100);
        Assert.Equal(1, mounted.Tree.Nodes.Count);
    }
}

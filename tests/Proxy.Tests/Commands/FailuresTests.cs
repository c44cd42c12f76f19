using System.CommandLine;
using System.Net;
using System.Net.Sockets;
using Breakwater.CacheStore.Store;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Commands.Seed;
using Breakwater.TestSupport;

namespace Breakwater.Proxy.Tests.Commands;

/// <summary>What is said of a command that failed, and its exit code.</summary>
public sealed class FailuresTests
{
    public static TheoryData<Exception, int, string> Failed => new()
    {
        { new OperationCanceledException(), 130, "Interrupted.\n" },
        { new AdminException("It refuses.", HttpStatusCode.Conflict), 69, "It refuses.\n" },
        { new HttpRequestException("outer", new IOException("inner")), 69, "outer (inner)\n" },
        { new IOException("outer: inner", new IOException("inner")), 73, "outer: inner\n" },
        { new UnauthorizedAccessException("no"), 73, "no\n" },
        { new SocketException((int)SocketError.AddressAlreadyInUse), 73, "Address already in use\n" },
    };

    [Theory]
    [MemberData(nameof(Failed))]
    public void Tell_OfAFailure_IsASentenceAndACode(Exception failure, int code, string sentence)
    {
        using var console = new CapturedConsole();

        Assert.Equal(code, Failures.Tell(failure));

        Assert.Equal(("", sentence), (console.Output, console.Error));
    }

    [Fact]
    public void Tell_OfAFault_SaysThatItIsOneAndHowToSeeMore()
    {
        using var console = new CapturedConsole();

        Assert.Equal(70, Failures.Tell(new InvalidOperationException("Broken.")));

        Assert.StartsWith("This is a fault of breakwater itself: InvalidOperationException: Broken.\nRun it again with BREAKWATER_TRACE=1",
            console.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CommandLine_ThatIsWrong_SaysWhereToLook()
    {
        CommandRun wrong = await CommandRun.OfAsync(SettingsCommand.Create(), "check", "--nosuch");
        CommandRun service = await CommandRun.OfAsync(ServeCommand.Create(), "--nosuch");

        Assert.Equal((64, 64), (wrong.ExitCode, service.ExitCode)); // 20: 1 of one, 78 of the other
        Assert.Equal(("", ""), (wrong.Output, service.Output));
        Assert.EndsWith("'breakwater settings check --help' says what there is.\n", wrong.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Usage", wrong.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("doctor", 1, "something cannot work so")]
    [InlineData("purge", 64, "the command line is wrong, or names a settings file that is not there")]
    [InlineData("seed remove", 1, "there is no such seed")]
    [InlineData("serve", 64, "the command line is wrong, or names a settings file that is not there")]
    [InlineData("profile remove", 1, "there is no such working set")]
    [InlineData("seed export", 69, "no Breakwater or Stratum 1 answers, or it refuses")]
    [InlineData("serve", 78, "the settings are wrong")]
    [InlineData("", 70, "a fault of the program itself")]
    public void ExitCodes_OfACommand_SayWhatItMeansByThem(string name, int code, string meaning)
    {
        Command command = CommandOf(name);

        Assert.Equal(name, ExitCodes.NameOf(command));
        Assert.Equal(meaning, Assert.Single(ExitCodes.Of(command), one => one.Code == code).Meaning);
        Assert.Equal(ExitCodes.Of(command).Select(one => one.Code).Order(), ExitCodes.Of(command).Select(one => one.Code));
        Assert.Equal(code == 1 ? 9 : 8, ExitCodes.Of(command).Count());
    }

    // 14b: "open of directory …: Permission denied (errno 13)" of 'seed import', where 'store' said what to do.
    [Fact]
    public async Task StoreRights_Missing_SayWhoseTheStoreIs()
    {
        static Task<int> RefuseAsync() => throw new IOException("open of directory /s: Permission denied (errno 13)", 13);
        static Task<int> FailAsync() => throw new IOException("no space left", 28);

        UnauthorizedAccessException e =
            await Assert.ThrowsAsync<UnauthorizedAccessException>(() => StoreRights.ExplainAsync("/s", RefuseAsync));

        Assert.EndsWith("The store /s belongs to the service: run this as its user (sudo -u breakwater breakwater …) or as root.",
            e.Message, StringComparison.Ordinal);
        Assert.Equal(7, await StoreRights.ExplainAsync("/s", () => Task.FromResult(7)));
        await Assert.ThrowsAsync<IOException>(() => StoreRights.ExplainAsync("/s", FailAsync));
    }

    private static Command CommandOf(string name)
    {
        Command at = new RootCommand
        {
            DoctorCommand.Create(), ProfileCommand.Create(), PurgeCommand.Create(), SeedCommand.Create(), ServeCommand.Create(),
        };
        foreach (string word in name.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            at = at.Subcommands.Single(command => command.Name == word);
        }

        return at;
    }

    [Fact]
    public void Explain_StoreThatRootIsRefused_IsToldAsWhomOnce()
    {
        var refused = new ForeignStoreException("Do it as that user: sudo -u cache breakwater …");

        Assert.Same(refused, StoreRights.Explain("/s", refused));
    }
}
